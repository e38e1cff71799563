import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { getTestRun } from './test-run.ts'

/** A certificate for 127.0.0.1 that only those trust who are told to: it is signed by itself. */
export function createCertificate(): { readonly certificate: string; readonly key: string } {
  const directory = mkdtempSync(join(getTestRun().directory, 'certificate-'))
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const whose = ['-subj', '/CN=stet-test', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', ...kind, ...whose, '-keyout', key, '-out', certificate], { stdio: 'pipe' })
  return { certificate, key }
}
