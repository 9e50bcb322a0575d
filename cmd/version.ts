/** The version of this executable and the API level it serves. */
import packageJson from '../package.json' with { type: 'json' }

/** Kubernetes version whose API is served. */
export const apiVersion = 'v1.36.3'
export const version: string = `${apiVersion}+kubun${packageJson.version}`
