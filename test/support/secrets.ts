import { ChangeReport } from '../../src/redact/change-report.js'
import { Redactor, type RedactSettings } from '../../src/redact/redactor.js'

export const HASH_SECRET = Buffer.from('a secret of more than thirty-two bytes')

/** A redactor as the options make it. */
export function redactorOf(settings: Partial<RedactSettings> = {}): Redactor {
  return new Redactor({ keys: [], mode: 'mask', secret: undefined, keyId: '1', omit: [], ...settings })
}

export function hashingRedactor(settings: Partial<RedactSettings> = {}): Redactor {
  return redactorOf({ mode: 'hmac', secret: HASH_SECRET, keyId: 'k1', ...settings })
}

/** A text's redaction, and how many secrets were found in it. */
export function redactValue(text: string, redactor = redactorOf()): { text: string; redacted: number } {
  const changes = new ChangeReport(redactor)
  return { text: redactor.value(text, changes), redacted: changes.redacted }
}

export function redactUrl(url: string, route?: string, redactor = redactorOf()): { text: string; redacted: number } {
  const changes = new ChangeReport(redactor)
  return { text: redactor.endpoint(url, route, changes), redacted: changes.redacted }
}

/** With a header, a payload and a signature. */
export const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_'

/** Of `dir`, which has no encrypted key. */
export const ENCRYPTED_TOKEN = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVydGV4dA.dGFn'

/** Numbers that networks publish for tests, of 13 to 19 digits. */
export const CARDS = [
  ...['4222222222222', '30569309025904', '378282246310005', '4111111111111111', '5555555555554444'],
  ...['6304000000000000018', '6205500000000000004'],
]
