// @interstate/cli: the command `interstate`, for those who put it into a program of their own.

export type { OpenStore, Outside } from './outside.ts'
export type { Place, RedisNode } from './places.ts'
export { runCommand } from './program.ts'
export { openStore } from './stores.ts'
