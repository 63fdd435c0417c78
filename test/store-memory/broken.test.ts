// broken.test.ts: stores that are broken on purpose, each in one step. A contract suite that stays green is worth nothing.
import type { Commit, CommitResult, Group, GroupResult } from '@interstate/core'
import { MemoryStore } from '@interstate/store-memory'
import { checkStoreGuarantee, storeGuarantees } from '@interstate/testing/stores'
import { expect, test } from 'vitest'

class SkipsTheVersionCheck extends MemoryStore {
  protected override conflict(): undefined {}
}

class SkipsTheDuplicateCheck extends MemoryStore {
  protected override duplicate(): undefined {}
}

class SkipsTheFence extends MemoryStore {
  protected override fenced(): undefined {}
}

class LetsInWhatIsFenced extends MemoryStore {
  protected override late(): ReadonlySet<never> {
    return new Set()
  }
}

class ForgetsItsAttempts extends MemoryStore {
  protected override applied(): undefined {}
}

class ForgetsItsGroups extends MemoryStore {
  #writes = 0
  override write(group: Group): Promise<GroupResult> {
    this.#writes += 1
    return super.write({ ...group, tag: `${group.tag} ${this.#writes}` })
  }
}

class DeliversBeforeTheCommit extends MemoryStore {
  protected override commit(commit: Commit): CommitResult {
    for (const message of commit.outbox) this.waiting.add(message)
    return super.commit(commit)
  }
}

class DeletesTheMessageBeforeTheCommit extends MemoryStore {
  protected override commit(commit: Commit): CommitResult {
    const doomed = commit.consumed.filter((id) => this.waiting.has(id, commit.entity))
    const result = super.commit(commit)
    for (const id of doomed) this.waiting.remove(id)
    return result
  }
}

class DeletesTheOutboxBeforeTheReceiverHasIt extends MemoryStore {
  protected override apply(commit: Commit): CommitResult {
    return super.apply({ ...commit, outbox: [] })
  }
}

class WritesTheSnapshotBeforeItChecks extends MemoryStore {
  protected override duplicate(commit: Commit): CommitResult | undefined {
    const refusal = super.duplicate(commit)
    if (refusal !== undefined) this.entities.replace(commit)
    return refusal
  }
}

class WritesGroupsInPart extends MemoryStore {
  protected override takeBack(): void {}
}

/** What the suite must say of each, by the beginning of its title. */
const broken: readonly (readonly [new () => MemoryStore, readonly string[]])[] = [
  [
    SkipsTheVersionCheck,
    [
      'G4: a commit on another version than the stored one changes nothing',
      'G4: of two commits on one version in one group one is written',
      'G4: of many writers on one version at the same time one is written',
      'G13: one commit that is refused touches no other commit of its group',
    ],
  ],
  [
    SkipsTheDuplicateCheck,
    [
      'G1: a second commit that consumes a message is a duplicate and changes nothing',
      'G1: of two commits in one group that consume one message the second is a duplicate',
      'G7: a copy of a commit that arrives days later',
    ],
  ],
  [
    SkipsTheFence,
    [
      'G5: a paused owner cannot write after its shards passed on',
      'G5: a group written together by a paused owner changes nothing',
      'G5: an owner that takes its own shards again fences its former self',
      'G5: an epoch that nobody was given writes nothing',
    ],
  ],
  [
    LetsInWhatIsFenced,
    [
      'G5: a paused owner accepts nothing after its shards passed on, however often it tries (each)',
      'G5: a paused owner accepts nothing after its shards passed on, however often it tries (together)',
      'G5: an epoch that nobody was given lets nothing in',
      'G10: a key is not registered for a message that was fenced',
      'G13: a message that is fenced keeps out nobody else',
      'G3: of the messages that one key stands for all are accepted, or, where one is fenced, none',
      'G3: a message that is fenced rolls back a group written together',
      'G3: any history',
    ],
  ],
  [ForgetsItsAttempts, ['G7: the same attempt in another group is already applied', 'G7: the same attempt is already']],
  [ForgetsItsGroups, ['G7: a group that only accepts messages, written again after they were handled']],
  [
    DeliversBeforeTheCommit,
    [
      'G2: a commit that ends as conflict sends nothing',
      'G2: a commit that ends as duplicate sends nothing',
      'G2: a commit that ends as fenced sends nothing',
      'G3: no part of a commit that ends as conflict is there',
    ],
  ],
  [
    DeletesTheMessageBeforeTheCommit,
    [
      'G2: a message stays in the inbox when the commit that would consume it ends as conflict',
      'G12: over any history an accepted message waits, was handled, or is a dead letter',
    ],
  ],
  [
    DeletesTheOutboxBeforeTheReceiverHasIt,
    ['G2: what a commit sends waits for its receiver', 'G6: messages wait in the order in which commits sent them'],
  ],
  [WritesTheSnapshotBeforeItChecks, ['G3: no part of a commit that ends as duplicate is there', 'G3: any history']],
  [
    WritesGroupsInPart,
    [
      'G3: a group written together changes nothing when one commit ends as conflict',
      'G3: a group written together changes nothing when one commit ends as duplicate',
      'G3: a group written together changes nothing when one commit ends as fenced',
      'G4: of two commits on one version in one group written together none is written',
      'G10: a key that is taken between the look and the write rolls back a group written together',
    ],
  ],
]

/** The titles of all guarantees that a store breaks. */
async function red(Store: new () => MemoryStore): Promise<readonly string[]> {
  const open = () => {
    const store = new Store()
    return { store, reopen: async () => store }
  }
  const titles: string[] = []
  for (const each of storeGuarantees) {
    const failed = await checkStoreGuarantee(each, open).then(
      () => false,
      () => true,
    )
    if (failed) titles.push(`${each.guarantee}: ${each.holds}`)
  }
  return titles
}

for (const [Store, expected] of broken) {
  test(`a store that ${sentence(Store.name)} is caught by ${expected[0]}`, async () => {
    const titles = await red(Store)
    for (const title of expected) expect(titles, title).toContainEqual(expect.stringContaining(title))
    // A suite that turns red as a whole says nothing about what is broken.
    expect(titles.length).toBeLessThan(storeGuarantees.length / 2)
  })
}

test('an intact store holds everything', async () => {
  expect(await red(MemoryStore)).toEqual([])
})

/** `SkipsTheFence` as `skips the fence`. */
function sentence(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim()
}
