// @interstate/store-cosmos: each entity its own logical partition on Azure Cosmos DB.
// So far the lower half: documents with conditions and batches whose end is known, and the probes. The store that speaks the
// protocol of entity scope stands on these.
export type { Charge, Charges, Kind } from './charges.ts'
export type {
  CosmosAccount,
  CosmosAnswer,
  CosmosBatchAnswer,
  CosmosContainer,
  CosmosDefinition,
  CosmosIndexing,
  CosmosItem,
  CosmosItems,
  CosmosPage,
  ReadLevel,
} from './client.ts'
export type { Clock } from './clock.ts'
export type { Batch, ConditionalWrite, Document, FurtherWrite, Partition, Stored } from './document.ts'
export { type Conflict, Documents, type DocumentsOptions, type Found, type Written } from './documents.ts'
export { type Probed, probesOf, refuseUnfit } from './probes.ts'
export type { Condition, Query } from './query.ts'
export type { Page } from './wire.ts'
