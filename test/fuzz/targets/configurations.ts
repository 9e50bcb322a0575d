/** Files that an operator writes: audit policy, encryption, authentication, authorization. */
import { parseYaml } from '../../../core/api/codec/yaml.ts'
import { readAuthentication } from '../../../core/api/apiserver/authentication.ts'
import { checkAuthentication } from '../../../core/api/apiserver/authenticationrules.ts'
import { checkAuthorization, readAuthorization } from '../../../core/api/apiserver/authorization.ts'
import { ConfigurationError } from '../../../core/api/apiserver/shape.ts'
import { evaluator, PolicyError, readPolicy } from '../../../core/apiserver/audit/policy.ts'
import { parseRequest } from '../../../core/apiserver/request.ts'
import { EncryptionError, parseConfiguration } from '../../../core/encryptionfile.ts'
import { seededRandom } from '../../../core/lib/random.ts'
import { textTarget, type Target } from '../target.ts'

const random = seededRandom(1)
const refuses = (error: unknown): boolean => error instanceof ConfigurationError || error instanceof PolicyError || error instanceof EncryptionError

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  users: [a]
  verbs: [get]
  resources: [{group: "", resources: [pods/log, "*/status"], resourceNames: [x]}]
- level: None
  nonResourceURLs: ["/healthz*"]
- level: Metadata
  userGroups: [g]
  namespaces: [n]
`
const encryption = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets, "*.apps"]
  providers:
  - aesgcm: {keys: [{name: a, secret: AAAAAAAAAAAAAAAAAAAAAA==}]}
  - secretbox: {keys: [{name: b, secret: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}]}
  - identity: {}
`
const authentication = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "https://a.example", audiences: [a, b], audienceMatchPolicy: MatchAny}
  claimMappings:
    username: {expression: 'claims.email'}
    groups: {claim: groups, prefix: ""}
    extra: [{key: a.example/x, valueExpression: 'claims.x'}]
  claimValidationRules: [{expression: 'claims.a == "b"', message: m}]
  userValidationRules: [{expression: '!user.username.startsWith("system:")'}]
anonymous: {enabled: true, conditions: [{path: /livez}]}
`
const authorization = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: Node, name: node}
- type: Webhook
  name: w
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /x}
    matchConditions: [{expression: 'request.user != "x"'}]
`

export const configurations: readonly Target[] = [
  textTarget('audit policies', [policy], (text) => {
    const read = parseYaml(text)
    if (read.ok) evaluator(readPolicy(read.value))(parseRequest('GET', '/api/v1/namespaces/n/pods/x/log'), { name: 'a', groups: ['g'] })
  }, { refuses, share: 0.4 }),
  textTarget('encryption configurations', [encryption], (text) => parseConfiguration(text, 'file', random), { refuses, share: 0.4 }),
  textTarget('authentication configurations', [authentication], (text) => checkAuthentication(readAuthentication(text), []), { refuses, share: 0.3 }),
  textTarget('authorization configurations', [authorization], (text) => checkAuthorization(readAuthorization(text), () => undefined), { refuses, share: 0.3 }),
]
