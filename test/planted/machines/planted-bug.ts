// planted-bug.ts: what every file here holds: a small system with a mistake that people make, and the same system mended.
import type { CheckOptions, World } from '@interstate/testing'

/** The same system, but for the mistake. */
export type Version = 'planted' | 'mended'

/** A mistake in user machines that the kit must find. */
export interface PlantedBug {
  /** In a few words, for the table. */
  readonly mistake: string
  /** How people come to make it. */
  readonly origin: string
  /** What the search must say, as it is accepted by: a code, and the property, message or state. */
  readonly finding: string
  /** The scope at which it shows and at which the mended version passes, where that isn't the default. */
  readonly options?: CheckOptions
  readonly world: (version: Version) => Pick<World, 'check' | 'replay'>
}
