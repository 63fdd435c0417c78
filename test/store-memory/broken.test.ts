// broken.test.ts: stores that are broken on purpose, each in one step. A contract suite that stays green is worth nothing.
import {
  type Acquired,
  type Cluster,
  type Commit,
  type CommitResult,
  type Consignment,
  chainAfter,
  type Delivery,
  emptyChain,
  type Group,
  type GroupResult,
  type HostId,
  type KeyPlace,
  type KeyState,
  type LaneEnd,
  type LaneHead,
  type LaneMessage,
  type LanePlace,
  type Lanes,
  type MessageId,
  type Placed,
  type ShardId,
  type StoredMessage,
} from '@interstate/core'
import { MemoryCluster, MemoryLanes, MemoryStore } from '@interstate/store-memory'
import {
  checkStoreGuarantee,
  type OpenStoreOptions,
  type StoreGuarantee,
  storeGuaranteesOf,
} from '@interstate/testing/stores'
import { expect, test } from 'vitest'

type Scope = 'store' | 'shard'

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

class WritesTogetherWhatItCannot extends MemoryStore {
  override write(group: Group): Promise<GroupResult> {
    return super.write(this.scope === 'store' ? group : { ...group, mode: 'each' })
  }
}

class TakesPartsForOneAnother extends MemoryStore {
  override write({ part: _, ...group }: Group): Promise<GroupResult> {
    return super.write(group)
  }
}

class FillsLanesBeforeItChecks extends MemoryStore {
  protected override commit(commit: Commit): CommitResult {
    const { shard } = commit.lease
    const leaving = commit.outbox.filter((message) => message.shard !== shard)
    for (const message of leaving) this.place(message, shard)
    const staying = commit.outbox.filter((message) => message.shard === shard)
    const result = super.commit({ ...commit, outbox: staying })
    if (result.outcome !== 'committed') return result
    return { ...result, placed: commit.outbox.map(() => ({ position: 1 })) }
  }
}

class LiesAboutPlaces extends MemoryStore {
  protected override place(message: StoredMessage, from: ShardId): Placed {
    const place = super.place(message, from)
    return 'position' in place ? { position: place.position + 1 } : place
  }
}

class PutsWhatLeavesIntoItsOwnInbox extends MemoryStore {
  protected override place(message: StoredMessage): Placed {
    return { position: this.waiting.add(message).position }
  }
}

class FencesEachMessageOfACallAlone extends MemoryStore {
  protected override late(group: Group): ReadonlySet<MessageId> {
    return super.late({ ...group, registrations: [] })
  }
}

class FencesByTheShardOfTheReceiver extends MemoryStore {
  protected override late({ accepted, ...group }: Group): ReadonlySet<MessageId> {
    const byReceiver = accepted.map(({ lease, ...message }) => ({
      ...message,
      lease: lease === undefined ? undefined : { ...lease, shard: message.shard },
    }))
    return super.late({ ...group, accepted: byReceiver })
  }
}

class KnowsKeysEverywhere extends MemoryStore {
  override keys(places: readonly KeyPlace[]): Promise<readonly KeyState[]> {
    return super.keys(places.map(({ key }) => ({ key, shard: 0 })))
  }
}

class CountsHandoversAsCrashes extends MemoryStore {
  override acquire(owner: HostId, shards: readonly ShardId[]): Promise<Acquired> {
    return super.acquire(owner, shards)
  }
}

/** A store whose lanes are broken. */
function withLanes(Lanes: typeof MemoryLanes): typeof MemoryStore {
  return class extends MemoryStore {
    static override readonly name = Lanes.name
    protected override makeLanes(): MemoryLanes {
      return new Lanes(this.journal, this.waiting)
    }
  }
}

class SkipsTheGapCheck extends MemoryLanes {
  protected override gap(): undefined {}
}

class SkipsTheChainCheck extends MemoryLanes {
  protected override broken(): undefined {}
}

class ChecksOnlyTheFirstOfAConsignment extends MemoryLanes {
  protected override broken({ messages, ...ends }: Consignment, mark: LaneEnd): Delivery | undefined {
    return super.broken({ ...ends, messages: messages.slice(0, 1) }, mark)
  }
}

class TakesTheMarkAtItsWord extends MemoryLanes {
  protected override broken({ messages, ...ends }: Consignment, mark: LaneEnd): Delivery | undefined {
    const behind = messages.filter(({ number }) => number > mark.number)
    return super.broken({ ...ends, messages: behind }, mark)
  }
}

class AcceptsWhatFitsOfABrokenConsignment extends MemoryLanes {
  protected override deliverOne(consignment: Consignment): Delivery {
    const delivery = super.deliverOne(consignment)
    if (delivery.outcome !== 'broken') return delivery
    for (let end = consignment.messages.length - 1; end > 0; end -= 1) {
      const part = { ...consignment, messages: consignment.messages.slice(0, end) }
      if (super.deliverOne(part).outcome === 'delivered') break
    }
    return delivery
  }
}

class AcceptsWhatItHas extends MemoryLanes {
  protected override fresh(messages: readonly LaneMessage[]): readonly LaneMessage[] {
    return messages
  }
}

class ForgetsAfterAWhile extends MemoryLanes {
  protected override fresh(messages: readonly LaneMessage[], { number }: LaneEnd): readonly LaneMessage[] {
    // What stands for a window of five minutes, or of seven days.
    return messages.filter((message) => message.number > number || message.number < number - 50)
  }
}

class AcceptsOnlyWholeConsignments extends MemoryLanes {
  protected override fresh(messages: readonly LaneMessage[], { number }: LaneEnd): readonly LaneMessage[] {
    return (messages[0]?.number ?? 0) > number ? messages : []
  }
}

class ForgetsWhatItHandsOver extends MemoryLanes {
  protected override deliverOne(consignment: Consignment): Delivery {
    const delivery = super.deliverOne(consignment)
    const { from, to } = consignment
    if (delivery.outcome === 'delivered') void this.trim([{ from, to, number: delivery.mark }])
    return delivery
  }
}

class TrimsOneTooMany extends MemoryLanes {
  protected override upTo(head: LaneHead, number: number): number {
    return super.upTo(head, number + 1)
  }
}

class TrimsWhatWasNeverSent extends MemoryLanes {
  protected override upTo(_: LaneHead, number: number): number {
    return number
  }
}

class ChainsEachMessageAlone extends MemoryLanes {
  protected override next({ number }: LanePlace, { id }: StoredMessage): LanePlace {
    return { number: number + 1, chain: chainAfter(emptyChain, id) }
  }
}

class SkipsANumberNowAndThen extends MemoryLanes {
  protected override next(head: LanePlace, message: StoredMessage): LanePlace {
    const { number, chain } = super.next(head, message)
    return { number: number === 3 ? 4 : number, chain }
  }
}

class LosesWhatStoodInALaneThatIsSet extends MemoryLanes {
  override async rebase(ends: Parameters<Lanes['rebase']>[0]): Promise<void> {
    await this.trim(ends.heads.map(({ from, to }) => ({ from, to, number: 1_000 })))
    await super.rebase(ends)
  }
}

class SetsLanesBack extends MemoryLanes {
  protected override isAhead(): boolean {
    return true
  }
}

/** A store whose hosts are told wrong. */
function withCluster(Hosts: typeof MemoryCluster): typeof MemoryStore {
  return class extends MemoryStore {
    static override readonly name = Hosts.name
    protected override makeCluster(): MemoryCluster {
      return new Hosts(this.ownership)
    }
  }
}

class AssignsFromAnyVersion extends MemoryCluster {
  protected override isCurrent(): boolean {
    return true
  }
}

class StrikesOffTheLiving extends MemoryCluster {
  protected override isSilent(): boolean {
    return true
  }
}

class AwaitsBetweenTheLookAndTheChange extends MemoryCluster {
  #looked = false
  override async assign(...proposal: Parameters<Cluster['assign']>): Promise<boolean> {
    if (!this.isCurrent(proposal[0])) return false
    await Promise.resolve()
    this.#looked = true
    const changed = super.assign(...proposal)
    this.#looked = false
    return changed
  }
  protected override isCurrent(version: number): boolean {
    return this.#looked || super.isCurrent(version)
  }
}

class GivesWordsTwice extends MemoryCluster {
  override async collect(host: HostId): Promise<readonly string[]> {
    const texts = await super.collect(host)
    await this.notify(texts.map((text) => ({ to: host, text })))
    return texts
  }
}

class RingsNever extends MemoryCluster {
  override async listen(): Promise<() => Promise<void>> {
    return async () => {}
  }
}

/** What the suite must say of each, by the beginning of its title. */
const broken: readonly (readonly [typeof MemoryStore, readonly string[]])[] = [
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

/** What it must say of those that are broken where there are lanes, and several hosts. */
const brokenShards: typeof broken = [
  [WritesTogetherWhatItCannot, ['G18: a group that is to be written together is refused with STORE_FAILED']],
  [TakesPartsForOneAnother, ['G7: parts of one group are written side by side']],
  [
    FillsLanesBeforeItChecks,
    [
      'G3: a commit that ends as conflict puts nothing into a lane',
      'G3: a commit that ends as duplicate puts nothing into a lane',
      'G5: a commit that ends as fenced puts nothing into a lane',
      'G6: the numbers of a lane have no gaps',
      'G7: the same attempt, alone or with its group, puts nothing into a lane a second time',
    ],
  ],
  [LiesAboutPlaces, ['G2: a write tells the truth of where each of its messages stands']],
  [PutsWhatLeavesIntoItsOwnInbox, ['G2: a message to another shard departs with its commit and stays']],
  [FencesEachMessageOfACallAlone, ['G3: of an event of which one message is fenced none is accepted']],
  [FencesByTheShardOfTheReceiver, ['G5: an event enters also when the shards of its followers have passed on']],
  [KnowsKeysEverywhere, ['G10: a key is known in the shard by which its call entered, and nowhere else']],
  [CountsHandoversAsCrashes, ['G11: a shard that a living owner hands over is no crash']],
  [withLanes(SkipsTheGapCheck), ['G6: a gap is refused and nothing of it accepted', 'G2: whatever is carried']],
  [
    withLanes(SkipsTheChainCheck),
    [
      'G15: another message under the number of the mark is broken',
      'G15: another message under the number of the mark, with more behind it, is broken',
      'G15: a message that follows another one than the mark is broken',
      'G15: a consignment of which the second message does not follow the first is broken',
      'G15: a message with the chain of another is broken',
    ],
  ],
  [
    withLanes(ChecksOnlyTheFirstOfAConsignment),
    ['G15: a consignment of which the second message does not follow the first is broken'],
  ],
  [withLanes(TakesTheMarkAtItsWord), ['G15: another message under the number of the mark is broken']],
  [
    withLanes(AcceptsWhatFitsOfABrokenConsignment),
    ['G15: a consignment of which the second message does not follow the first is broken'],
  ],
  [
    withLanes(AcceptsWhatItHas),
    [
      'G7: a consignment that is delivered again, in whole or in part, brings nothing twice',
      'G7: a copy that a zombie hands over days later',
      'G7: of many who hand over the same at the same time one is heard',
      'G2: whatever is carried',
    ],
  ],
  [withLanes(ForgetsAfterAWhile), ['G7: a copy that a zombie hands over days later']],
  [withLanes(AcceptsOnlyWholeConsignments), ['G7: a consignment that is delivered again', 'G2: whatever is carried']],
  [
    withLanes(ForgetsWhatItHandsOver),
    ['G2: a message to another shard departs with its commit and stays', 'G2: whatever is carried'],
  ],
  [
    withLanes(TrimsOneTooMany),
    ['G2: a message to another shard departs', 'G2: trimming takes what it is told', 'G2: whatever is carried'],
  ],
  [withLanes(TrimsWhatWasNeverSent), ['G2: trimming takes what it is told']],
  [withLanes(ChainsEachMessageAlone), ['G6: the numbers of a lane have no gaps, and its chain is over all ids']],
  [withLanes(SkipsANumberNowAndThen), ['G6: the numbers of a lane have no gaps', 'G2: whatever is carried']],
  [withLanes(LosesWhatStoodInALaneThatIsSet), ['G15: a head that is set goes on after what its receiver has']],
  [withLanes(SetsLanesBack), ['G15: heads and marks only move forward']],
  [
    withCluster(AssignsFromAnyVersion),
    ['G16: an assignment is changed from the version that it has', 'G16: of many who propose at the same time'],
  ],
  [withCluster(StrikesOffTheLiving), ['G16: hosts are struck off with the change of the assignment']],
  [withCluster(AwaitsBetweenTheLookAndTheChange), ['G16: of many who propose at the same time one is heard']],
  [withCluster(GivesWordsTwice), ['G16: words are collected once']],
]

/** The titles of all guarantees that a store breaks. */
async function red(Store: typeof MemoryStore, scope: Scope): Promise<readonly string[]> {
  const open = ({ shards }: OpenStoreOptions) => {
    const store = new Store({ shards, scope })
    return { store, reopen: async () => store }
  }
  const titles: string[] = []
  for (const each of storeGuaranteesOf(scope)) {
    const failed = await checkStoreGuarantee(each, open).then(
      () => false,
      () => true,
    )
    if (failed) titles.push(title(each))
  }
  return titles
}

function title({ guarantee, holds }: StoreGuarantee): string {
  return `${guarantee}: ${holds}`
}

async function expectRed(Store: typeof MemoryStore, scope: Scope, expected: readonly string[]): Promise<void> {
  const titles = await red(Store, scope)
  for (const each of expected) expect(titles, each).toContainEqual(expect.stringContaining(each))
  // A suite that turns red as a whole says nothing about what is broken.
  expect(titles.length).toBeLessThan(storeGuaranteesOf(scope).length / 2)
}

for (const scope of ['store', 'shard'] as const) {
  const all = storeGuaranteesOf(scope).map(title)
  for (const [Store, expected] of broken) {
    const ofScope = expected.filter((each) => all.some((one) => one.includes(each)))
    if (ofScope.length === 0) continue
    test(`a store of scope ${scope} that ${sentence(Store.name)} is caught by ${ofScope[0]}`, () =>
      expectRed(Store, scope, ofScope))
  }

  test(`an intact store of scope ${scope} holds everything`, async () => {
    expect(await red(MemoryStore, scope)).toEqual([])
  })
}

for (const [Store, expected] of brokenShards) {
  test(`a store of shards that ${sentence(Store.name)} is caught by ${expected[0]}`, () =>
    expectRed(Store, 'shard', expected))
}

test('a host that is never rung is found out', async () => {
  const guarantee = storeGuaranteesOf('shard').find(({ holds }) => holds.startsWith('who listens is called'))
  const Store = withCluster(RingsNever)
  const open = ({ shards }: OpenStoreOptions) => {
    const store = new Store({ shards, scope: 'shard' })
    return { store, reopen: async () => store }
  }
  expect(guarantee).toBeDefined()
  await expect(checkStoreGuarantee(guarantee as StoreGuarantee, open)).rejects.toThrow('no ring')
})

/** `SkipsTheFence` as `skips the fence`. */
function sentence(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim()
}
