/** What an answer that is not a success means: the Status in it, or client-go's sentence for its code (rest/request.go, transformResponse). */
import { ApiError, type Reason, type Status } from '../api/errors.ts'
import type { RemoteAnswer } from './remote.ts'

/** Undefined for 200 to 206. */
export function refusalOf(answer: RemoteAnswer, method = 'POST'): ApiError | undefined {
  if (answer.status >= 200 && answer.status <= 206) return undefined
  const text = new TextDecoder().decode(answer.body)
  return statusIn(text, answer.status) ?? generic(answer.status, method, isText(answer) ? text.slice(0, textMax).trim() : 'unknown')
}

/** Letters of a body that is no Status that are worth repeating. */
const textMax = 2_048

function statusIn(text: string, code: number): ApiError | undefined {
  try {
    const status = JSON.parse(text) as Partial<Status> | null
    if (status?.kind === 'Status' && status.apiVersion === 'v1' && status.status !== 'Success') return ApiError.from({ code, ...status })
  } catch {
    // Whatever stands there is no Status.
  }
  return undefined
}

function isText(answer: RemoteAnswer): boolean {
  const type = answer.headers['content-type'] ?? ''
  return type === '' || type.startsWith('text/')
}

function generic(code: number, method: string, said: string): ApiError {
  const known = sentences[code]
  const details = { causes: [{ reason: 'UnexpectedServerResponse', message: said }] }
  if (code === 409) return new ApiError({ code, reason: method === 'POST' ? 'AlreadyExists' : 'Conflict', message: 'the server reported a conflict', details })
  if (known !== undefined) {
    const [reason, message] = known
    return new ApiError({ code, reason, message: message === '' ? said : message, details })
  }
  if (code === 406) return new ApiError({ code, reason: 'NotAcceptable', message: said === '' || said === 'unknown' ? 'the server was unable to respond with a content type that the client supports' : said, details })
  if (code >= 500) return new ApiError({ code, reason: 'InternalError', message: `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`, details })
  return new ApiError({ code, reason: '', message: `the server responded with the status code ${code} but did not return more information`, details })
}

/** '': what the server said. */
const sentences: Readonly<Record<number, readonly [Reason, string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', ''],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  415: ['UnsupportedMediaType', ''],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request'],
}
