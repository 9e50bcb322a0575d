/** Every controller. They do not wait for each other; the order is that in which a cluster needs them. To add one: its file, a line here. */
import { accountTokens } from './accounttokens.ts'
import { apiServiceAvailability } from './apiservices/availability.ts'
import { apiServiceRegistration } from './apiservices/register.ts'
import { horizontalPodAutoscaler } from './autoscaler/autoscaler.ts'
import { csrApprover, csrCleaner, csrSigner, servingApprover } from './certificates/certificates.ts'
import { clusterRoleAggregator } from './clusterroles.ts'
import { clusterTrust } from './clustertrust.ts'
import type { Controller } from './controller.ts'
import { cronJobController } from './cronjob/cronjob.ts'
import { definitionCleanup } from './crd/cleanup.ts'
import { definitionRegistration } from './crd/registration.ts'
import { daemonSetController } from './daemonset/daemonset.ts'
import { deploymentController } from './deployment/deployment.ts'
import { deviceTaintController } from './devicetaints/devicetaints.ts'
import { disruptionController } from './disruption/disruption.ts'
import { staleDisruptions } from './disruption/stale.ts'
import { endpointsController } from './endpoints.ts'
import { endpointSliceController } from './endpointslice/endpointslice.ts'
import { endpointSliceMirroring } from './endpointslicemirroring/endpointslicemirroring.ts'
import { garbageCollector } from './garbage/garbage.ts'
import { jobController } from './job/job.ts'
import { jobOrphans } from './job/orphans.ts'
import { kubernetesService } from './kubernetesservice.ts'
import { namespaceController } from './namespace.ts'
import { taintEvictionController } from './node/eviction.ts'
import { nodeIpamController } from './node/ipam.ts'
import { nodeLifecycleController } from './node/lifecycle.ts'
import { podGc } from './podgc.ts'
import { policyStatus } from './policystatus.ts'
import { attributesProtection, claimProtection, volumeProtection } from './protection.ts'
import { replicaSetController, replicationController } from './replicaset/replicaset.ts'
import { resourceClaimController } from './resourceclaim/resourceclaim.ts'
import { resourceQuotaController } from './resourcequota.ts'
import { rootCaPublisher } from './rootca.ts'
import { serviceAddresses } from './servicecidr/addresses.ts'
import { defaultServiceCidr } from './servicecidr/default.ts'
import { serviceCidrController } from './servicecidr/servicecidr.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { statefulSetController } from './statefulset/statefulset.ts'
import { tokenCleaner } from './tokencleaner.ts'
import { ttlAfterFinished } from './ttlafterfinished.ts'
import { attachDetachController } from './volumes/attach.ts'
import { persistentVolumeBinder } from './volumes/binder.ts'
import { ephemeralVolumeController } from './volumes/ephemeral.ts'
import { expandController } from './volumes/expand.ts'
import { localProvisioner } from './volumes/localprovisioner.ts'

export const controllers: readonly Controller[] = [
  clusterRoleAggregator,
  apiServiceRegistration,
  apiServiceAvailability,
  clusterTrust,
  definitionRegistration,
  defaultServiceCidr,
  serviceCidrController,
  kubernetesService,
  serviceAddresses,
  serviceAccountController,
  accountTokens,
  rootCaPublisher,
  csrApprover,
  servingApprover,
  csrSigner,
  csrCleaner,
  tokenCleaner,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  resourceClaimController,
  deviceTaintController,
  deploymentController,
  replicaSetController,
  replicationController,
  jobController,
  jobOrphans,
  cronJobController,
  ttlAfterFinished,
  statefulSetController,
  daemonSetController,
  disruptionController,
  staleDisruptions,
  horizontalPodAutoscaler,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroring,
  resourceQuotaController,
  policyStatus,
  definitionCleanup,
  namespaceController,
  garbageCollector,
  podGc,
  ephemeralVolumeController,
  persistentVolumeBinder,
  localProvisioner,
  attachDetachController,
  expandController,
  claimProtection,
  volumeProtection,
  attributesProtection,
]
