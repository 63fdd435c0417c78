// @interstate/testing: what entities and stores are tested with.

export { checkStoreGuarantee, type StoreGuarantee, type StoreUnderTest } from './store-contract/guarantee.ts'
export {
  type StoreContractOptions,
  storeContract,
  storeGuarantees,
  type Waiver,
} from './store-contract.ts'
export { VirtualEnv, type VirtualEnvOptions } from './virtual-env.ts'
