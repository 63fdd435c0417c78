// slots.ts: where a shard lives in a cluster: a hash tag whose slot lies in the shard's part of all slots. A persisted format.

const slotCount = 16_384
/** More shards than that have more lanes between them than is good for anybody. */
export const maxShards = 4_096

const table: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

/** CRC16 (XMODEM), as Redis Cluster takes it: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
function crc16(bytes: Uint8Array, before = 0): number {
  let crc = before
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ (table[((crc >> 8) ^ byte) & 0xff] ?? 0)
  return crc
}

/** The slot of a hash tag. */
export function slotOf(tag: string): number {
  return crc16(Buffer.from(tag)) % slotCount
}

/**
 * The hash tags of all shards: shard i of P lies in part i of P equal parts of the slots, so that shards are spread over
 * the nodes as the slots are. The suffix is the first number, written in base 36, that gives such a slot.
 */
export function shardTags(prefix: string, shards: number): readonly string[] {
  const suffixes: Buffer[] = []
  return Array.from({ length: shards }, (_, shard) => {
    const stem = `${prefix}:${shard}.`
    const before = crc16(Buffer.from(stem))
    for (let number = 0; ; number += 1) {
      const suffix = suffixes[number] ?? Buffer.from(number.toString(36))
      suffixes[number] = suffix
      const slot = crc16(suffix, before) % slotCount
      if (Math.floor((slot * shards) / slotCount) === shard) return `${stem}${suffix}`
    }
  })
}
