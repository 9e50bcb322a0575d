import { expect, it } from 'vitest'
import { decodeProtobuf, encodeProtobuf } from '../api/codec/protobuf.ts'
import { openRig } from './rig.fake.ts'

it('protobufList() is the list that the encoder makes of the whole, also the second time', async () => {
  const rig = await openRig()
  const pods = '/api/v1/namespaces/default/pods'
  await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  for (let i = 0; i < 40; i++) {
    await rig.ask('POST', pods, { metadata: { name: `p${i}`, annotations: { big: 'x'.repeat(i * 50) } }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  }
  const json = (await rig.ask('GET', `${pods}?limit=30`)).json as Record<string, unknown>
  const want = decodeProtobuf(encodeProtobuf(json) ?? new Uint8Array())
  for (let round = 0; round < 2; round++) {
    const outlet = rig.open(`${pods}?limit=30`, { accept: 'application/vnd.kubernetes.protobuf' })
    await outlet.done
    expect(decodeProtobuf(Buffer.concat(outlet.chunks))).toEqual(want)
  }
  await rig.close()
})
