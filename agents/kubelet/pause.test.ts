/** The sandbox image is the same bytes everywhere, and its program is what the kernel takes. */
import { describe, expect, it } from 'vitest'
import { pauseProgram, pauseTar } from './pause.ts'

describe('pause', () => {
  it.each([['amd64', 62], ['arm64', 183]] as const)('for %s is an ELF executable that enters behind its data', (arch, machine) => {
    const elf = Buffer.from(pauseProgram(arch))
    expect(elf.subarray(0, 4).toString('latin1')).toBe('\x7fELF')
    expect([elf.readUInt16LE(16), elf.readUInt16LE(18), Number(elf.readBigUInt64LE(24))]).toEqual([2, machine, 0x4000a0])
    expect(Number(elf.readBigUInt64LE(96))).toBe(elf.length)
  })
  it('arm64 branches back to the eighth instruction before', () => {
    const code = Buffer.from(pauseProgram('arm64')).subarray(0xa0)
    const words = Array.from({ length: code.length / 4 }, (_, i) => code.readUInt32LE(i * 4))
    expect(words.filter((word) => word === 0xd4000001).length).toBe(4) // svc, one a call
    expect(words.at(-4)).toBe(0x54ffff0d) // b.le -8
    expect(words[0]).toBe(0xd28010c8) // mov x8, #134
  })
  it('loads as the same image each time', () => {
    expect(Buffer.from(pauseTar('amd64')).equals(Buffer.from(pauseTar('amd64')))).toBe(true)
    expect(Buffer.from(pauseTar('amd64')).subarray(257, 262).toString()).toBe('ustar')
  })
})
