/** Storage that was built into Kubernetes once, and the CSI drivers that do its work now (csi-translation-lib). */
import { annotationOf, bindingAnnotations } from '../core/volumebinding.ts'
import type { KubeObject } from '../meta.ts'

const drivers: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
}

/** The driver that took over from a built-in plugin of this name. */
export function migratedDriver(plugin: string): string | undefined {
  return Object.hasOwn(drivers, plugin) ? drivers[plugin] : undefined
}

/** Annotations as they must be for the driver to know that an object is its own; undefined when they are so. */
export function migrationAnnotations(object: Readonly<KubeObject>, provisioner: string | undefined): Record<string, string> | undefined {
  if (provisioner === undefined) return undefined
  const have = annotationOf(object, bindingAnnotations.migratedTo) ?? ''
  const want = migratedDriver(provisioner) ?? ''
  if (have === want) return undefined
  const { [bindingAnnotations.migratedTo]: _old, ...rest } = object.metadata.annotations ?? {}
  return want === '' ? rest : { ...rest, [bindingAnnotations.migratedTo]: want }
}
