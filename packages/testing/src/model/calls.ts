// calls.ts: the messages of a client's call, as a host makes them.
import {
  type AddressRef,
  type Envelope,
  type MessageId,
  messageType,
  parseEntityId,
  validate,
  type Wiring,
} from '@interstate/core'
import type { Stimulus } from '../stimulus.ts'
import { beginning } from './turns.ts'

/**
 * One command, or one event for each follower.
 *
 * @throws InterstateError as `host.send` and `host.publish`: a call that a host would refuse is none.
 */
export function messagesOf(wiring: Wiring, { call, address, message }: Stimulus, id: string): readonly Envelope[] {
  const ref = address as unknown as AddressRef
  const { contract } = wiring.definition(ref.contract.name)
  const about = ref.id()
  const section = call === 'send' ? 'command' : 'event'
  const data = validate(contract, section, message)
  const type = call === 'send' ? messageType(message) : `${contract.name}.${messageType(message)}`
  const receivers = call === 'send' ? [about] : wiring.receiversOf(type, parseEntityId(about), data)
  return receivers.map((to) => ({
    id: id as MessageId,
    kind: section,
    to,
    from: 'client',
    type,
    data,
    correlationId: id as MessageId,
    causationId: id as MessageId,
    created: beginning,
    contractVersion: contract.version,
  }))
}
