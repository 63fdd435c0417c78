// @interstate/testing: what systems of entities are tested with. For those who write a store driver: stores.ts.

export { type AnalyseOptions, analyse, type Finding } from '@interstate/core'
export type { Count, CountsData, Fate } from './coverage/counts.ts'
export type {
  CoverageReport,
  DefinitionReport,
  Measure,
  MeasureName,
  Measures,
  MessageReport,
  StateReport,
  TimerReport,
  TransitionReport,
} from './coverage/report.ts'
export type { Thresholds } from './coverage/thresholds.ts'
export { Coverage, type CoverageData, type CoveragePageOptions } from './coverage.ts'
export { type FindingCode, findings } from './failure/catalogue.ts'
export { WorldError } from './failure/error.ts'
export type { Change, Look, Story, StoryStep } from './failure/story.ts'
export type { CheckOptions, CheckReport } from './model/check.ts'
export type { FaultName, SimulatedStore, SimulateOptions, SimulationReport } from './simulate/simulate.ts'
export type { Duration } from './spec/duration.ts'
export type { SpecOutcome } from './spec/outcome.ts'
export type {
  SpecEffect,
  SpecEffectEnd,
  SpecEffectInput,
  SpecEvent,
  SpecMessage,
  SpecReply,
  SpecStart,
  SpecState,
} from './spec/types.ts'
export { type Spec, type SpecOptions, spec } from './spec.ts'
export { publish, type Stimulus, send } from './stimulus.ts'
export type { StoreUnderTest } from './store-contract/guarantee.ts'
export { VirtualEnv, type VirtualEnvOptions } from './virtual-env.ts'
export type { StimulusSource } from './world/plan.ts'
export type { EntityView, MessageView, WorldView } from './world/view.ts'
export { type EffectCall, type SetupScope, type World, type WorldOptions, world } from './world.ts'
