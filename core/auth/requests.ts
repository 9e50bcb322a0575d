/** What a CertificateSigningRequest asks for, as admission judges it: the subject inside, and the signers whose names have a meaning. */
import { parseRequest, signers as known } from '../pki/request.ts'

export const signers = known

/** The subject of `spec.request` (PEM in base64); a sentence when there is none to read. */
export function requestedSubject(request: string): { readonly commonName: string; readonly organizations: readonly string[] } | string {
  const parsed = parseRequest(Buffer.from(request, 'base64').toString())
  return typeof parsed === 'string' ? parsed : parsed.subject
}
