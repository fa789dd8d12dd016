import type { Replace } from './values.js'

/** A form of token: its vendor, its pattern, and the page that documents it. */
export type TokenForm = readonly [name: string, form: string, source: string]

/** A list of many vendors' forms, for vendors whose own pages do not show them. */
const LIST = 'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml'

/**
 * Forms of well-known tokens. Each begins with fixed text, or has it before it, and goes on with characters of one kind,
 * so that no place in a text is read more often than once for each form: no form may have a repetition in a repetition,
 * nor one without an end before anything else that it needs.
 */
export const TOKEN_FORMS: readonly TokenForm[] = [
  [
    'GitHub',
    'gh[pousr]_\\w{30,}',
    'https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/',
  ],
  [
    'GitHub, fine-grained',
    'github_pat_\\w{30,}',
    'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github',
  ],
  [
    'GitLab',
    'gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[\\w-]{20,}(?:\\.\\w{2}\\.\\w{9})?',
    'https://docs.gitlab.com/security/tokens/#token-prefixes',
  ],
  [
    'GitLab, registration of runners',
    'GR1348941[\\w-]{20,}',
    'https://docs.gitlab.com/security/tokens/#token-prefixes',
  ],
  ['Slack', 'xox[a-z](?:\\.xox[a-z])?-[\\w-]{16,}', 'https://docs.slack.dev/authentication/tokens'],
  ['Slack, of an app', 'xapp-\\d-[\\w-]{20,}', 'https://docs.slack.dev/authentication/tokens'],
  [
    'Slack, webhook',
    '(?<=hooks\\.slack\\.com/(?:services|workflows|triggers)/)[\\w/]{20,}',
    'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
  ],
  [
    'Discord, webhook',
    '(?<=discord(?:app)?\\.com/api/webhooks/)\\d{10,20}/[\\w-]{30,}',
    'https://docs.discord.com/developers/resources/webhook',
  ],
  ['Telegram, bot', '(?:bot)?\\d{8,10}:AA[\\w-]{32,}', 'https://core.telegram.org/bots/api#authorizing-your-bot'],
  ['Stripe', '[sr]k_(?:live|test|org)_\\w{16,}', 'https://docs.stripe.com/keys'],
  ['Stripe, webhook', 'whsec_[\\w+/=-]{20,}', 'https://docs.stripe.com/webhooks'],
  [
    'AWS, key id',
    'A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Za-z0-9])',
    'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids',
  ],
  ['Google, API key', 'AIza[\\w-]{35}', 'https://docs.cloud.google.com/docs/authentication/api-keys'],
  ['Google, OAuth secret', 'GOCSPX-[\\w-]{20,}', 'https://developers.google.com/identity/protocols/oauth2'],
  ['Google, OAuth access token', 'ya29\\.[\\w-]{20,}', 'https://developers.google.com/identity/protocols/oauth2'],
  ['npm', 'npm_\\w{30,}', 'https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/'],
  ['PyPI', 'pypi-[\\w-]{40,}', 'https://pypi.org/help/#apitoken'],
  ['RubyGems', 'rubygems_[\\da-f]{40,}', LIST],
  ['crates.io', 'cio[A-Za-z0-9]{32}(?![A-Za-z0-9])', LIST],
  ['Hugging Face', '(?:hf|api_org)_[A-Za-z0-9]{30,}', 'https://huggingface.co/docs/hub/security-tokens'],
  [
    'OpenAI, Anthropic, and those who took their form',
    'sk-(?:(?:proj|svcacct|admin|ant|or|lf)-[\\w-]{20,}|[A-Za-z0-9]{20,})',
    'https://platform.openai.com/docs/api-reference/authentication https://platform.claude.com/docs/en/api/overview',
  ],
  ['Groq', 'gsk_\\w{40,}', LIST],
  ['xAI', 'xai-[\\w-]{40,}', LIST],
  ['Perplexity', 'pplx-\\w{40,}', LIST],
  ['Replicate', 'r8_\\w{30,}', 'https://replicate.com/docs/topics/security/api-tokens'],
  ['SendGrid', 'SG\\.[\\w-]{22}\\.[\\w-]{43}', 'https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys'],
  ['Twilio', 'SK[\\da-fA-F]{32}(?![A-Za-z0-9])', 'https://www.twilio.com/docs/glossary/what-is-a-sid'],
  ['HashiCorp Vault', 'hv[sbr]\\.[\\w-]{20,}', 'https://developer.hashicorp.com/vault/docs/concepts/tokens'],
  ['Terraform Cloud', '[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{60,}', LIST],
  [
    'Azure Storage',
    '(?<![+/]|sha512[-:])[A-Za-z0-9+/]{86}==',
    'https://learn.microsoft.com/en-us/azure/storage/common/storage-account-keys-manage',
  ],
  [
    'Azure, shared access signature',
    '(?<=[?&;]sig=)[\\w%+/-]{43,}=?',
    'https://learn.microsoft.com/en-us/azure/storage/common/storage-sas-overview',
  ],
  [
    'Microsoft Entra, client secret',
    '\\w{3}[78]Q~[\\w~.-]{31,}',
    'https://learn.microsoft.com/en-us/purview/sit-defn-azure-ad-client-secret',
  ],
  [
    'DigitalOcean',
    'do[opr]_v1_[\\da-f]{40,}',
    'https://docs.digitalocean.com/reference/api/create-personal-access-token/',
  ],
  [
    'Shopify',
    'shp(?:at|ca|pa|ss|tka|ua)_\\w{32,}',
    'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens',
  ],
  [
    'Atlassian',
    'AT(?:ATT|CTT|STT|BB)\\d?\\w[\\w-]{24,}(?:=[\\dA-F]{8})?',
    'https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/',
  ],
  ['Databricks', 'dapi[\\da-f]{32}(?:-\\d)?(?![A-Za-z0-9])', 'https://docs.databricks.com/aws/en/dev-tools/auth/pat'],
  [
    'Doppler',
    'dp\\.(?:ct|pt|sa|scim|audit|st(?:\\.[\\w-]{2,35})?)\\.[A-Za-z0-9]{40,}',
    'https://docs.doppler.com/reference/auth-token-formats',
  ],
  ['age', 'AGE-(?:SECRET-KEY-|PLUGIN-)(?:\\w{1,16}-)?\\w{50,}', 'https://github.com/C2SP/C2SP/blob/main/age.md'],
  ['Docker Hub', 'dckr_[op]at_[\\w-]{20,}', 'https://docs.docker.com/security/access-tokens/'],
  ['Grafana', 'gl(?:sa|c)_[\\w+/=]{30,}', 'https://grafana.com/docs/grafana/latest/administration/service-accounts/'],
  ['Linear', 'lin_(?:api|oauth)_\\w{30,}', LIST],
  ['New Relic', 'NR(?:AK|II|JS|AL|RA)-[\\w-]{19,}', LIST],
  ['Notion', 'ntn_\\w{40,}', LIST],
  ['Postman', 'PMAK-[\\da-f]{24}-[\\da-f]{34}', LIST],
  ['Pulumi', 'pul-[\\da-f]{40}', LIST],
  ['Sentry', 'sntry[su]_[\\w+/=]{40,}', LIST],
  ['Supabase', 'sbp_\\w{40,}|sb_secret_[\\w-]{20,}', 'https://supabase.com/docs/guides/api/api-keys'],
  ['Tailscale', 'tskey-(?:\\w{1,16}-)?[\\w-]{20,}', 'https://tailscale.com/kb/1277/key-prefixes'],
  ['Figma', 'fig[doru]_[\\w-]{30,}', LIST],
  ['Square', 'sq0[a-z]{3}-[\\w-]{22,}', LIST],
  ['Mailchimp', '[\\da-f]{32}-us\\d{1,2}(?![A-Za-z0-9])', LIST],
  ['Alibaba Cloud, key id', 'LTAI[A-Za-z0-9]{17,}', LIST],
  [
    'Kubernetes, bearer token in a subprotocol',
    '(?<=base64url\\.bearer\\.authorization\\.k8s\\.io\\.)[\\w-]{16,}',
    'https://github.com/kubernetes/kubernetes/pull/47740',
  ],
]

/** Each form has a run of letters, digits, `-` and `_` that is at least this long, and is not hexadecimal alone. */
export const SHORTEST_RUN = 16

/** A token begins a word, or follows the escape of a line break or a tab. */
const FORMS = new RegExp(`(?<!(?<!\\\\)[A-Za-z0-9])(?:${TOKEN_FORMS.map(([, form]) => form).join('|')})`, 'g')

/** Whether a text holds a well-known token. */
export function hasForm(text: string): boolean {
  FORMS.lastIndex = 0
  return FORMS.test(text)
}

/** Redacts well-known tokens, in one pass for all forms. */
export function redactForms(text: string, replace: Replace): string {
  return text.replace(FORMS, (token) => replace(token))
}
