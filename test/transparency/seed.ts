/**
 * Seed of the random programs: the same each time, so that a red test means a change in this code. Another seed tries
 * others: `AUDIT_TEST_SEED=$RANDOM npx vitest run test/transparency`.
 */
export const SEED = Number(process.env.AUDIT_TEST_SEED ?? 1)
