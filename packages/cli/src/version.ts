// version.ts: the version of this package.
import { createRequire } from 'node:module'

const found: unknown = createRequire(import.meta.url)('../package.json')

/** As in package.json. */
export const version: string = String((found as { readonly version?: unknown }).version)
