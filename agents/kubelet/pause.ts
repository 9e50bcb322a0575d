/**
 * The sandbox's program, made here: a static ELF of a few hundred bytes that holds
 * a pod's namespaces. It ignores SIGCHLD, so the kernel reaps the orphans of pods
 * that share their process namespace; it blocks SIGINT and SIGTERM and waits for
 * one of them, which also works for process 1; then it exits. No compiler and no
 * binary is needed: the machine words are written out below, one line an instruction.
 */
import { createHash } from 'node:crypto'
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Runtime } from '../host/runtime.ts'

export const pauseImage = 'kubun/pause:1'

export type Arch = 'amd64' | 'arm64'

/** Sees to it that the runtime has the sandbox image. */
export async function ensurePause(ctx: Ctx, runtime: Runtime, arch: Arch): Promise<void> {
  if ((await runtime.image(ctx, pauseImage)) !== undefined) return
  await runtime.loadImages(ctx, pauseTar(arch))
  ctx.log.info('loaded the sandbox image', { image: pauseImage })
}

/** The image as `docker load` takes it; the same bytes every time, so the image has the same id everywhere. */
export function pauseTar(arch: Arch): Uint8Array {
  const layer = tar([{ path: 'pause', mode: 0o755, data: pauseProgram(arch) }])
  const config = JSON.stringify({
    architecture: arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { Entrypoint: ['/pause'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'kubun' }],
  })
  const configPath = `${sha256(Buffer.from(config))}.json`
  const manifest = JSON.stringify([{ Config: configPath, RepoTags: [pauseImage], Layers: ['layer.tar'] }])
  return tar([
    { path: 'layer.tar', mode: 0o644, data: layer },
    { path: configPath, mode: 0o644, data: Buffer.from(config) },
    { path: 'manifest.json', mode: 0o644, data: Buffer.from(manifest) },
  ])
}

const base = 0x400000
const headerBytes = 64 + 56 // ELF header, one program header
const setAt = base + headerBytes
const actionAt = setAt + 8
const codeAt = actionAt + 32

/** SIGINT (2) and SIGTERM (15) as a kernel signal set: bit n-1. */
const waitSet = (1 << 1) | (1 << 14)

export function pauseProgram(arch: Arch): Uint8Array {
  const code = arch === 'amd64' ? amd64() : arm64()
  const file = Buffer.alloc(codeAt - base + code.length)
  // ELF header: 64 bit, little endian, version 1, executable.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  file.writeUInt16LE(2, 16)
  file.writeUInt16LE(arch === 'amd64' ? 62 : 183, 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(BigInt(codeAt), 24) // entry
  file.writeBigUInt64LE(64n, 32) // program headers follow
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  // One segment: the whole file, readable and executable.
  file.writeUInt32LE(1, 64)
  file.writeUInt32LE(5, 68)
  file.writeBigUInt64LE(BigInt(base), 80)
  file.writeBigUInt64LE(BigInt(base), 88)
  file.writeBigUInt64LE(BigInt(file.length), 96)
  file.writeBigUInt64LE(BigInt(file.length), 104)
  file.writeBigUInt64LE(0x10000n, 112) // the largest page size there is
  file.writeBigUInt64LE(BigInt(waitSet), headerBytes)
  file.writeBigUInt64LE(1n, headerBytes + 8) // struct sigaction: SIG_IGN, no flags, no restorer, empty mask
  file.set(code, codeAt - base)
  return file
}

function amd64(): Uint8Array {
  const le = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255]
  const rows = [
    [0xb8, ...le(13)], // mov eax, rt_sigaction
    [0xbf, ...le(17)], // mov edi, SIGCHLD
    [0xbe, ...le(actionAt)], // mov esi, action
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, ...le(8)], // mov r10d, 8: bytes of a signal set, for all three calls
    [0x0f, 0x05], // syscall
    [0xb8, ...le(14)], // mov eax, rt_sigprocmask
    [0x31, 0xff], // xor edi, edi: SIG_BLOCK
    [0xbe, ...le(setAt)], // mov esi, set
    [0x31, 0xd2], // xor edx, edx
    [0x0f, 0x05], // syscall
    [0xb8, ...le(128)], // again: mov eax, rt_sigtimedwait
    [0xbf, ...le(setAt)], // mov edi, set
    [0x31, 0xf6], // xor esi, esi
    [0x31, 0xd2], // xor edx, edx: no timeout
    [0x0f, 0x05], // syscall
    [0x85, 0xc0], // test eax, eax
    [0x7e, 256 - 20], // jle again: interrupted
    [0xb8, ...le(231)], // mov eax, exit_group
    [0x31, 0xff], // xor edi, edi
    [0x0f, 0x05], // syscall
  ]
  return Uint8Array.from(rows.flat())
}

function arm64(): Uint8Array {
  const mov = (register: number, value: number): number => 0xd2800000 + value * 32 + register
  const movHigh = (register: number, value: number): number => 0xf2a00000 + value * 32 + register
  const address = (register: number, at: number): number[] => [mov(register, at & 0xffff), movHigh(register, at >> 16)]
  const svc = 0xd4000001
  const again = [mov(8, 137), ...address(0, setAt), mov(1, 0), mov(2, 0), mov(3, 8), svc, 0xf100001f /* cmp x0, #0 */]
  const rows = [
    [mov(8, 134), mov(0, 17), ...address(1, actionAt), mov(2, 0), mov(3, 8), svc], // rt_sigaction
    [mov(8, 135), mov(0, 0), ...address(1, setAt), mov(2, 0), mov(3, 8), svc], // rt_sigprocmask
    again, // rt_sigtimedwait
    [0x5400000d + ((-again.length & 0x7ffff) << 5)], // b.le again
    [mov(8, 94), mov(0, 0), svc], // exit_group
  ]
  const words = rows.flat()
  const bytes = Buffer.alloc(words.length * 4)
  words.forEach((word, i) => bytes.writeUInt32LE(word >>> 0, i * 4))
  return bytes
}

interface TarEntry {
  readonly path: string
  readonly mode: number
  readonly data: Uint8Array
}

/** Plain files in ustar format, owned by root, without times. */
function tar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Uint8Array[] = []
  for (const { path, mode, data } of entries) {
    const header = Buffer.alloc(512)
    header.write(path, 0)
    const octal = (value: number, at: number, length: number): void => void header.write(value.toString(8).padStart(length - 1, '0'), at)
    octal(mode, 100, 8)
    octal(0, 108, 8)
    octal(0, 116, 8)
    octal(data.length, 124, 12)
    octal(0, 136, 12)
    header.fill(' ', 148, 156)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    octal(header.reduce((sum, byte) => sum + byte, 0), 148, 7)
    header[154] = 0
    blocks.push(header, data, new Uint8Array((512 - (data.length % 512)) % 512))
  }
  return Buffer.concat([...blocks, new Uint8Array(1024)])
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
