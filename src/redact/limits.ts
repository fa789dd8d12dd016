/** The characters of one text that are searched for secrets: a longer search takes more time than a request may. */
export const LONGEST_TEXT = 262_144

/** The depth up to which values are read. */
export const MAX_DEPTH = 32

/** A key is searched for secrets up to here, which is far more than is kept of it. */
export const SEARCHED_KEY = 4096
