/** /openapi/v2 and /openapi/v3: documents from core/api/schema/openapi.ts, served with hash and ETag. */
import type { Hono } from 'hono'
import type { ApiServerDeps } from './deps.ts'

export function openapiRoutes(app: Hono, deps: ApiServerDeps): void {
  void app
  void deps
}
