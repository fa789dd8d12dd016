/** How secret a key's value is: not at all, to be masked or hashed, or to be masked in either mode. */
export type Secrecy = 0 | 1 | 2

// Names in their normal form: lower case, without `-`, `_` and spaces.

/** Keys whose values are masked in either mode: what people remember and type is guessed too easily. */
export const MASKED_NAMES: readonly string[] = [
  ...['pass', 'pw', 'secretkeybase', 'clientkeydata', 'clientkey', 'sshkey', 'rsakey', 'pem'],
  ...['cvv', 'cvc', 'cvv2', 'cvc2', 'cvvcode', 'cvccode', 'cvvnumber', 'cvcnumber', 'cardcvv', 'cardcvc'],
  ...['securitycode', 'cardsecuritycode', 'cardverificationvalue', 'cardverificationcode'],
  ...['pin', 'pins', 'pincode', 'pinnumber', 'newpin', 'oldpin', 'currentpin', 'confirmpin', 'userpin', 'cardpin'],
  ...['otp', 'otps', 'totp', 'hotp', 'otpcode', 'otptoken', 'totpcode', 'smsotp', 'emailotp', 'loginotp'],
  ...['onetimecode', 'onetimetoken', 'mfacode', 'mfatoken', '2facode', '2fatoken', 'twofactorcode', 'tfacode'],
  ...['authcode', 'verificationcode', 'backupcode', 'backupcodes', 'recoverycode', 'recoverycodes'],
]

/** Keys that end so: `newPassword`, `db_passwd`, `userPasswordHash`, `rsa-private-key`. */
export const MASKED_ENDINGS: readonly string[] = [
  ...['password', 'passwords', 'passwd', 'pwd', 'passphrase', 'passcode'],
  ...['passwordhash', 'passworddigest', 'passwordsalt', 'passwordconfirm', 'passwordconfirmation', 'passwordagain'],
  ...['passwordrepeat', 'passwordnew', 'passwordold', 'passwordcurrent', 'passwordvalue', 'password1', 'password2'],
  ...['privatekey', 'privatekeys', 'privatekeydata', 'privatekeypem'],
]

/** Keys whose values are masked, or hashed in mode `hmac`. */
export const SECRET_NAMES: readonly string[] = [
  ...['secrets', 'secretstring', 'secretbinary', 'secretvalue', 'tokenvalue', 'accesstokens', 'refreshtokens'],
  ...['auth', 'xauth', 'cookies', 'session', 'sessionid', 'sessionkey', 'sid', 'sessid', 'jsessionid', 'phpsessid'],
  ...['aspsessionid', 'aspnetsessionid', 'usersession', 'samlresponse', 'samlrequest'],
  ...['ssn', 'userssn', 'socialsecurity', 'socialsecuritynumber', 'creditcard', 'debitcard', 'ccnumber', 'ccnum'],
  ...['primaryaccountnumber', 'accesskeyid', 'awsaccesskeyid', 'googleaccessid'],
  ...['signature', 'sig', 'xamzsignature', 'xamzcredential', 'xgoogsignature', 'xgoogcredential'],
]

/** Keys that end so: `client_secret`, `x-api-key`, `aws_secret_access_key`, `X-Amz-Security-Token`. */
export const SECRET_ENDINGS: readonly string[] = [
  ...['secret', 'token', 'jwt', 'apikey', 'apikeys', 'secretkey', 'accesskey', 'signingkey', 'encryptionkey'],
  ...['masterkey', 'authkey', 'sharedkey', 'accountkey', 'authorization', 'cookie', 'credential', 'credentials'],
  ...['assertion', 'kubeconfig', 'cardnumber'],
]

/** What ends like a secret, but says where a page of a list begins. */
export const PUBLIC_NAMES: readonly string[] = ['nexttoken', 'pagetoken', 'nextpagetoken', 'continuationtoken']

const MASKED: ReadonlySet<string> = new Set(MASKED_NAMES)
const SECRET: ReadonlySet<string> = new Set(SECRET_NAMES)
const PUBLIC: ReadonlySet<string> = new Set(PUBLIC_NAMES)

/**
 * The form in which names of keys are compared: percent-decoded (twice at most), in lower case, without `-`, `_`, `+`
 * and white space. `X-Api%2DKey` and `xApiKey` have the same.
 */
export function normalKey(key: string): string {
  return decodeTwice(key)
    .toLowerCase()
    .replace(/[-_+\s]+/g, '')
}

/** A path is no deeper than a body that is read. */
const MOST_PARTS = 32

/**
 * The normal form of a key, then those of its parts when it is a path, such as `user[password]` or `auth.token`; nothing
 * of a path with more parts than anybody writes, for half a million of them in one key took half a second to look at.
 */
export function formsOf(key: string): string[] | undefined {
  const normal = normalKey(key)
  if (!/[[\].]/.test(normal)) return [normal]
  const parts = normal.split(/[[\].]+/, MOST_PARTS + 1)
  return parts.length > MOST_PARTS ? undefined : [normal, ...parts.filter((part) => part !== '')]
}

/** How secret the values of a key are by the built-in lists; the key is in its normal form. */
export function builtInSecrecy(form: string): Secrecy {
  if (MASKED.has(form) || MASKED_ENDINGS.some((ending) => form.endsWith(ending))) return 2
  if (PUBLIC.has(form)) return 0
  return SECRET.has(form) || SECRET_ENDINGS.some((ending) => form.endsWith(ending)) ? 1 : 0
}

/** Whether a key's value is secret by the built-in lists, whatever the key's disguise. */
export function isSecretKey(key: string): boolean {
  return formsOf(key)?.some((form) => builtInSecrecy(form) > 0) ?? true
}

function decodeTwice(key: string): string {
  return key.includes('%') ? decodeAscii(decodeAscii(key)) : key
}

/** Percent-decodes ASCII alone: a name in the lists has nothing else, and a malformed sequence must not throw. */
export function decodeAscii(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
