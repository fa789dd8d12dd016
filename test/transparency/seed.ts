/**
 * Which programs are tried: the same ones each time, so that a red test means a change of ours. Another number hunts for
 * others: `AUDIT_TEST_SEED=$RANDOM npx vitest run test/transparency`.
 */
export const SEED = Number(process.env.AUDIT_TEST_SEED ?? 1)
