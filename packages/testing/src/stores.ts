// @interstate/testing/stores: what store drivers are tested with.

export { entityIds, envelopes, messageIds, storedMessages } from './arbitraries/envelopes.ts'
export { commits, groups, type Writer } from './arbitraries/groups.ts'
export { type Fault, FaultyStore, type StoreCall } from './faults/faulty-store.ts'
export { type WriteTrouble, writeTroubles } from './faults/trouble.ts'
export { type CheckHistoryOptions, checkHistory } from './history/check.ts'
export type { Happened, HistoryEvent } from './history/event.ts'
export { History } from './history/history.ts'
export { calling, listening } from './history/listening.ts'
export { recording } from './history/recording.ts'
export { takeStock } from './history/stock.ts'
export type { Judged, Violation } from './history/violation.ts'
export {
  type CommitSketch,
  type GroupSketch,
  playStoreHistory,
  type StoreStep,
  storeHistories,
} from './store-contract/any-history.ts'
export {
  checkStoreGuarantee,
  type OpenStore,
  type OpenStoreOptions,
  type StoreGuarantee,
  type StoreUnderTest,
} from './store-contract/guarantee.ts'
export {
  type StoreContractOptions,
  storeContract,
  storeGuarantees,
  storeGuaranteesOf,
  type Waiver,
} from './store-contract.ts'
