/** Every controller. They do not wait for each other; the order is that in which a cluster needs them. To add one: its file, a line here. */
import type { Controller } from './controller.ts'
import { deploymentController } from './deployment/deployment.ts'
import { endpointsController } from './endpoints.ts'
import { endpointSliceController } from './endpointslice/endpointslice.ts'
import { garbageCollector } from './garbage/garbage.ts'
import { namespaceController } from './namespace.ts'
import { replicaSetController, replicationController } from './replicaset/replicaset.ts'
import { rootCaPublisher } from './rootca.ts'
import { serviceAccountController } from './serviceaccount.ts'

export const controllers: readonly Controller[] = [
  serviceAccountController,
  rootCaPublisher,
  deploymentController,
  replicaSetController,
  replicationController,
  endpointSliceController,
  endpointsController,
  namespaceController,
  garbageCollector,
]
