/** The characters of one text that are searched for secrets: a longer search takes more time than a request may. */
export const LONGEST_TEXT = 262_144
