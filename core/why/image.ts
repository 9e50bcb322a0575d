/** Why an image does not come: what the registry said, in plain words. Pure. */

const kinds: readonly (readonly [RegExp, string])[] = [
  [/toomanyrequests|too many requests|rate limit|\b429\b/i, 'the registry refuses more pulls for now (rate limit)'],
  [/unauthorized|authentication required|no basic auth|access denied|pull access denied|denied:|forbidden|\b40[13]\b/i, 'the registry wants credentials, or there is no such repository'],
  [/manifest unknown|not found|does not exist|no such manifest|name unknown|\b404\b/i, 'the registry has no such image or tag'],
  [/no such host|lookup .* on|name resolution|server misbehaving|EAI_AGAIN|ENOTFOUND/i, 'the name of the registry cannot be resolved'],
  [/x509|certificate|tls:/i, 'the certificate of the registry is not trusted'],
  [/connection refused|ECONNREFUSED|no route to host|network is unreachable|i\/o timeout|context deadline exceeded|Client\.Timeout|ETIMEDOUT/i, 'the registry cannot be reached'],
  [/server gave HTTP response to HTTPS client/i, 'the registry speaks HTTP, and HTTPS is asked of it'],
  [/no matching manifest|no match for platform/i, 'the image is not made for this kind of machine'],
  [/no space left/i, 'the disk of the node is full'],
]

/** `reason` of the waiting container; undefined: it does not wait for its image. `said`: messages, the most telling first. */
export function imageClause(image: string, reason: string, said: readonly string[], missingSecrets: readonly string[]): string | undefined {
  switch (reason) {
    case 'InvalidImageName':
      return `cannot pull the image ${JSON.stringify(image)}: that is no name of an image`
    case 'ErrImageNeverPull':
      return `needs the image ${image}, which its node does not have, and imagePullPolicy Never forbids to pull it`
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
      break
    default:
      return undefined
  }
  const error = said.find((text) => kinds.some(([pattern]) => pattern.test(cut(text, image)))) ?? said[0] ?? ''
  const kind = kinds.find(([pattern]) => pattern.test(cut(error, image)))
  const what = kind?.[1] ?? (error === '' ? 'the node has not said why' : tail(error))
  const secrets = missingSecrets.length === 0 || !what.includes('credentials') ? '' : `; the pull secret ${missingSecrets.join(', ')} does not exist`
  return `cannot pull the image ${image}: ${what}${secrets}`
}

/** Names of images speak of nothing. */
const cut = (text: string, image: string): string => text.replaceAll(image, '').replaceAll(image.replace(/:[^/]*$/, ''), '')

/** Errors carry where they passed in front of what happened. */
function tail(error: string): string {
  return error.replace(/^.*?(?:Failed to pull image "[^"]*": |ErrImagePull: )/s, '').slice(0, 300)
}
