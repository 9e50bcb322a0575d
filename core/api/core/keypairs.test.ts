/** TLS Secrets that hold something else. */
import { expect, it } from 'vitest'
import { keyPairWarning } from './keypairs.ts'

const block = (type: string): string => Buffer.from(`-----BEGIN ${type}-----\neA==\n-----END ${type}-----\n`).toString('base64')
const [certificate, key] = [block('CERTIFICATE'), block('RSA PRIVATE KEY')]

it.each([
  ['both', certificate, key, undefined],
  ['nothing', undefined, undefined, 'tls: failed to find any PEM data in certificate input'],
  ['no key', certificate, '', 'tls: failed to find any PEM data in key input'],
  ['the one for the other', key, certificate, 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'],
  ['the certificate twice', certificate, certificate, 'tls: found a certificate rather than a key in the PEM for the private key'],
  ['a request', block('CERTIFICATE REQUEST'), key, 'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [CERTIFICATE REQUEST]'],
])('keyPairWarning() of %s', (_name, certificatePem, keyPem, want) => {
  expect(keyPairWarning(certificatePem, keyPem)).toBe(want)
})
