import { wordList } from './word-list.js'

// The vocabulary of keys, in lower case. A key is read as words: `DB_PASS`, `dbPass` and `dbpass` are `db pass`. A test
// compares these tables with docs/redaction.md.

/** Words that make a key's value secret at the end of any compound. Their values are masked in either mode. */
export const MASKED_WORDS = wordList(`
  password, passwd, pwd, pswd, passphrase, passcode, passwort, kennwort, contrasena, senha, wachtwoord, mot de passe,
  private key, mnemonic, mnemonic phrase, seed phrase, seed words, recovery phrase, secret phrase, xprv,
  secret key base, client key data, key pem, keytab, cvv, cvc, cvn, cvv code, cvc code, cvv number, cvc number,
  security code, card verification value, card verification code, otp, totp, hotp, otp token, one time token,
  mfa token, 2fa token, two factor token, security answer, secret answer, saml assertion, track 1, track 2, track data,
  pin block, pasword, passwrd, password pepper, priv key, xpriv, wallet seed, key material, client key, ssh key,
  rsa key, dsa key, ecdsa key, ed25519 key, tls key, ssl key, unseal key
`)

/** Words that do so alone or after an owner: `db pass`, but not `boarding pass`. Masked. */
export const MASKED_OWNED = wordList(`
  pass, pw, pin, pin number, pem, pfx, mpin, tpin
`)

/** Words that make a key's value secret at the end of any compound; masked, or hashed in mode `hmac`. */
export const SECRET_WORDS = wordList(`
  secret, token, jwt, cookie, credential, credentials, cred, creds, authorization, csrf, xsrf, psk, kubeconfig,
  docker config json, ssn, social security, social security number, secret id, connection string,
  shared access signature, x amz signature, x amz credential, x goog signature, x goog credential, google access id,
  oauth signature, oauth verifier, code verifier, id token hint, auth header, authorization header, cookie header,
  client assertion, saml response, saml request, session id, sess id, session cookie, j session id, php sess id,
  php session id, asp session id, asp net session id, magic link, reset link, card number, card no,
  cc number, cc num, cc no, credit card, debit card, primary account number, cryptogram, pan token, sas url
`)

/** Words that do so alone or after an owner. */
export const SECRET_OWNED = wordList(`
  pat, dsn, bearer, passkey
`)

/** Words that do so alone. */
export const SECRET_ALONE = wordList(`
  auth, x auth, basic auth, proxy auth, http auth, registry auth, redis cli auth, sid, connect sid, sig, signature,
  auth string, sec websocket protocol
`)

/** Words that make `key` secret after them. `key` alone is not. */
export const SECRET_KEYS = wordList(`
  api, app, application, access, secret, signing, encryption, decryption, cipher, crypto, master, auth, shared,
  account, server, session, hmac, aes, wifi, wep, wpa, license, deploy, subscription, function, functions, symmetric,
  jwt, token, cookie, root, recovery, bitlocker, vault, sas, webhook, sp, service principal, service, certificate,
  encryption customer, stripe, openai, anthropic, sendgrid, mailgun, twilio, github, gitlab, google, aws, azure, gcp,
  firebase, algolia, datadog, cloudflare, sentry, network, enc, sign, decrypt, encrypt, paseto, fernet, merchant
`)

/** Words that make `code` secret after them. */
export const SECRET_CODES = wordList(`
  auth, authorization, device, verification, verify, reset, password reset, recovery, backup, mfa, 2fa, tfa,
  two factor, otp, totp, sms, one time, login, access, activation, unlock, pin, email, magic, pairing
`)

/** Words that make an address secret after them, for it holds credentials. */
export const SECRET_ADDRESSES = wordList(`
  database, db, postgres, postgresql, pg, mysql, mariadb, mongo, mongodb, redis, amqp, rabbitmq, jdbc, broker,
  connection, clickhouse, elasticsearch
`)

/** The words for such an address. */
export const ADDRESS_WORDS = wordList(`
  url, uri, dsn
`)

/** Compounds that are not secret, although they end with a secret word. */
export const PUBLIC_COMPOUNDS = wordList(`
  next token, page token, prev page token, sync token, cursor token, continuation token, scroll token,
  pagination token, resume token, start page token, stop token, eos token, bos token, pad token, unk token, mask token,
  new tokens, prompt tokens, completion tokens, input tokens, output tokens, cached tokens, reasoning tokens,
  unexpected token, design token, color token, theme token, spacing token, typography token, erc20 token, erc721 token,
  erc1155 token, nft token, governance token, fee token, token 0, client request token, idempotency token,
  existing secret, image pull secret, auth 0, authorizations, accept cookie, accepts cookie, include credential,
  prediction tokens, audio tokens, image tokens, text tokens, remaining tokens, limit tokens, public key pem, cert pem
`)

/** Keys that are not secret as one word: India's postal code, not `pin_code`. */
export const PUBLIC_WORDS = wordList(`
  pincode
`)

/** Words that make a question or a number of a secret word after them: `hasPassword`, `max_tokens`. */
export const QUESTIONS = wordList(`
  is, are, has, have, requires, require, needs, need, forgot, forgotten, show, hide, toggle, allow, allows, use, uses,
  enable, enabled, disable, disabled, can, should, must, supports, support, no, without, with, missing, max, min,
  total, num, count, enter, automount, masked
`)

/** Owners of a password, a PIN or a personal token, and words before these in forms. */
export const OWNERS = wordList(`
  db, database, user, my, mail, email, smtp, imap, pop3, ftp, sftp, ssh, admin, root, login, log, redis, mysql, pg,
  postgres, mongo, rabbitmq, rabbit, amqp, proxy, basic, auth, http, wifi, ldap, bind, account, new, old, current,
  confirm, repeat, default, client, server, app, api, service, vpn, sudo, bot, key, keystore, truststore, cert, x,
  system, sys, master, temp, tmp, initial, site, web, wp, customer, guest, owner, host, remote, local, github, gitlab,
  git, azure, aws, docker, registry, npm, card, sim, atm, wallet, payment, transaction, security, sentry, personal,
  access, sms, next, id, session, store, become, upi
`)

/** Words that change nothing after a secret word: `passwordHash`. Nor do digits and a plural's `s`. */
export const TRAILING_WORDS = wordList(`
  value, values, string, str, hash, hashed, digest, salt, confirm, confirmation, again, repeat, new, old, current,
  data, pem, b64, base64, hex, raw, plaintext, encrypted, binary, nonce, phrase, plain, conf, json
`)
