/** The caller of a request. */
export interface Identity {
  /** The caller's permanent id, such as a user's or a token's; never a secret. */
  accessorId: string
  name?: string | undefined
  policies?: readonly string[] | undefined
  groups?: readonly string[] | undefined
  /** True if the credential is valid in every region or tenant. */
  global?: boolean | undefined
  /** The time at which the credential was created. */
  createTime?: string | Date | undefined
  /** The method of authentication, such as `'jwt'`. */
  method?: string | undefined
  /** The one for whom the caller acts, if it is somebody else. */
  onBehalfOf?: string | undefined
}
