import { storeContract } from '../store.contract.ts'
import { openMemory } from './memory.ts'

storeContract('memory', async () => ({ store: openMemory(), remove: async () => {} }))
