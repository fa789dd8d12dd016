import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { TOKEN_FORMS } from '../../../src/redact/search/forms.js'
import { cuesOf, FORM } from '../../../src/redact/search/prefilter.js'
import { redactValue } from '../../support/secrets.js'

const DIGITS = '0123456789'
const HEX = `${DIGITS}abcdef`
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE32 = `${UPPER}234567`
const BASE62 = `${DIGITS}${UPPER}${UPPER.toLowerCase()}`
const BASE64URL = `${BASE62}-_`
const BECH32 = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

type Part = string | readonly [characters: string, length: number]

/**
 * Tokens as the vendors make them, in parts: no line here is a token, so that no scanner of repositories takes it for
 * one. The text before the first list of characters is written in pieces for the same reason.
 */
const TOKENS: ReadonlyArray<readonly [name: string, ...parts: Part[]]> = [
  ['GitHub, classic', 'gh', 'p_', [BASE62, 36]],
  ['GitHub, OAuth', 'gh', 'o_', [BASE62, 36]],
  ['GitHub, app as a user', 'gh', 'u_', [BASE62, 36]],
  ['GitHub, app as a server', 'gh', 's_', [BASE62, 36]],
  ['GitHub, refresh', 'gh', 'r_', [BASE62, 76]],
  ['GitHub, fine-grained', 'github', '_pat_', [BASE62, 22], '_', [BASE62, 59]],
  ['GitLab', 'gl', 'pat-', [BASE64URL, 20]],
  ['GitLab, routable', 'gl', 'pat-', [BASE64URL, 51], '.', [BASE62, 2], '.', [BASE62, 9]],
  ['GitLab, deploy', 'gl', 'dt-', [BASE64URL, 20]],
  ['GitLab, runner', 'gl', 'rt-', [BASE64URL, 20]],
  ['Slack, bot', 'xo', 'xb-', [DIGITS, 12], '-', [DIGITS, 13], '-', [BASE62, 24]],
  ['Slack, user', 'xo', 'xp-', [DIGITS, 12], '-', [DIGITS, 12], '-', [DIGITS, 13], '-', [HEX, 32]],
  ['Slack, app', 'xa', 'pp-1-A', [BASE62, 10], '-', [DIGITS, 13], '-', [HEX, 64]],
  ['Stripe, live', 'sk_', 'live_', [BASE62, 24]],
  ['Stripe, live and new', 'sk_', 'live_', [BASE62, 99]],
  ['Stripe, restricted', 'rk_', 'live_', [BASE62, 24]],
  ['Stripe, test', 'sk_', 'test_', [BASE62, 24]],
  ['Stripe, webhook', 'wh', 'sec_', [BASE62, 32]],
  ['AWS, key id', 'AK', 'IA', [BASE32, 16]],
  ['AWS, temporary key id', 'AS', 'IA', [BASE32, 16]],
  ['Google, API key', 'AI', 'za', [BASE64URL, 35]],
  ['Google, OAuth secret', 'GOC', 'SPX-', [BASE64URL, 28]],
  ['Google, access token', 'ya', '29.', [BASE62, 60]],
  ['npm', 'np', 'm_', [BASE62, 36]],
  ['PyPI', 'py', 'pi-AgEIcHlwaS5vcmc', [BASE64URL, 70]],
  ['Hugging Face', 'h', 'f_', [BASE62, 34]],
  ['OpenAI', 's', 'k-', [BASE62, 20], 'T3Blbk', 'FJ', [BASE62, 20]],
  ['OpenAI, of a project', 's', 'k-proj-', [BASE64URL, 100], '1a', [BASE62, 20]],
  ['Anthropic', 's', 'k-ant-api03-', [BASE64URL, 93], 'AA'],
  ['SendGrid', 'S', 'G.', [BASE64URL, 21], 'x.', [BASE64URL, 43]],
  ['Twilio', 'S', 'K', [HEX, 32]],
  ['Vault, service', 'hv', 's.', [BASE62, 24]],
  ['Vault, batch', 'hv', 'b.', [BASE64URL, 20], [BASE62, 120]],
  ['Azure Storage', 'z', [BASE62, 85], '=='],
  ['Entra', [BASE62, 3], '8', 'Q~', [BASE62, 34]],
  ['DigitalOcean', 'dop', '_v1_', [HEX, 64]],
  ['DigitalOcean, OAuth', 'doo', '_v1_', [HEX, 64]],
  ['Shopify', 'shp', 'at_', [HEX, 32]],
  ['Shopify, secret', 'shp', 'ss_', [HEX, 32]],
  ['Atlassian', 'ATA', 'TT3xFfGF0', [BASE64URL, 177], '=', ['0123456789ABCDEF', 8]],
  ['Bitbucket', 'AT', 'BB', [BASE62, 32]],
  ['Databricks', 'da', 'pi', [HEX, 32]],
  ['Databricks, of a user', 'da', 'pi', [HEX, 32], '-2'],
  ['Doppler', 'dp', '.pt.', [BASE62, 43]],
  ['Doppler, service', 'dp', '.st.', 'dev_a.', [BASE62, 43]],
  ['age', 'AGE-', 'SECRET-KEY-1', [BECH32, 58]],
  ['Docker Hub', 'dck', 'r_pat_', [BASE62, 27]],
  ['Grafana', 'gl', 'sa_', [BASE62, 32], '_', [HEX, 8]],
  ['RubyGems', 'ruby', 'gems_', [HEX, 48]],
  ['Postman', 'PM', 'AK-', [HEX, 24], '-', [HEX, 34]],
  ['Tailscale', 'ts', 'key-auth-', [BASE62, 12], '-', [BASE62, 32]],
  ['Telegram', [DIGITS, 10], ':A', 'A', [BASE62, 33]],
  ['Groq', 'gs', 'k_', [BASE62, 52]],
  ['Linear', 'lin', '_api_', [BASE62, 40]],
]

function tokenOf(parts: readonly Part[]): fc.Arbitrary<string> {
  const texts = parts.map((part) => {
    if (typeof part === 'string') return fc.constant(part)
    const [characters, length] = part
    return fc.string({ unit: fc.constantFrom(...characters), minLength: length, maxLength: length })
  })
  // The last character ends a word, as nearly always; the rest of the token is the same without it.
  return fc.tuple(...texts).map((all) => all.join('').replace(/[-_]$/, 'x'))
}

describe('a well-known token', () => {
  it.each(TOKENS)('is found by its form: %s', (_, ...parts) => {
    const around = fc.constantFrom(
      ...[(token: string) => token, (token: string) => `see ${token}, please`, (token: string) => `"${token}"`],
      ...[(token: string) => `x=${token}&y=1`, (token: string) => `(${token})`, (token: string) => `line\\n${token} x`],
      (token: string) => `https://example.org/?q=${token}&x=1`,
    )
    fc.assert(
      fc.property(tokenOf(parts), around, (token, write) => {
        const text = write(token)
        expect(redactValue(text), text).toEqual({ text: write(REDACTED), redacted: 1 })
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    ['https://hooks.slack.com/services/', 'T0123ABCD/B0123ABCD/', 24],
    ['https://discord.com/api/webhooks/', '123456789012345678/', 68],
    ['base64url.bearer.authorization.k8s.io.', '', 40],
  ])('is found by the text before it, which stays: %s', (before, start, length) => {
    const text = `${before}${start}${'aZ3'.repeat(length).slice(0, length)}`
    expect(redactValue(`to ${text}`)).toEqual({ text: `to ${before}${REDACTED}`, redacted: 1 })
  })

  it('has a source, and a place in the docs', () => {
    const docs = readFileSync('docs/redaction.md', 'utf8')
    for (const [name, , source] of TOKEN_FORMS) {
      expect(source).toMatch(/^https:\/\/\S+( https:\/\/\S+)*$/)
      expect(docs, name).toContain(name.split(',')[0] ?? name)
    }
  })

  it('gives a cue, however short its form lets it be', () => {
    // Without those that another text must precede, and those in Base64, whose `+`, `/` and `~` break nearly none so often.
    const forms = TOKEN_FORMS.filter(([, form]) => !/\(\?<|\(\?[=!]|\+\/|~/.test(form))
    expect(forms.length).toBeGreaterThan(35)
    for (const [name, form] of forms) {
      fc.assert(
        fc.property(fc.stringMatching(new RegExp(`^(?:${form})$`)), (token) => {
          fc.pre(/[g-z]/i.test(token))
          expect(cuesOf(token) & FORM, `${name}: ${token}`).toBe(FORM)
        }),
        { numRuns: 20 },
      )
    }
  })

  it.each([
    ...[
      'sk-folding-cube-animated-spinner',
      'task-management-service-2024-06',
      'npm_config_cache',
      'npm_lifecycle_event',
    ],
    ...['hf_transformers', 'glpat-', 'AKIA', 'github_pattern_matching', 'SKU12345678', 'age-secret-key', 'pypi-simple'],
    'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
    'integrity sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'disk-proj-aurora-backend-service-eu',
    'd41d8cd98f00b204e9800998ecf8427e',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '550e8400-e29b-41d4-a716-446655440000',
    'arn:aws:iam::123456789012:role/service-role/MyLongRoleNameForLambda',
    'registry.example.org/team/service-account-controller:1.2.13-alpine3.19',
  ])('is not %s', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })
})
