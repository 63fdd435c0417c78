// empty.ts: a module without entities.
export const nothing: readonly [] = []
