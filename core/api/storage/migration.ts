/** Storage that was built into Kubernetes once, and the CSI drivers that do its work now (csi-translation-lib). */
import { annotationOf, bindingAnnotations } from '../core/volumebinding.ts'
import type { KubeObject } from '../meta.ts'
import type { PersistentVolume, PersistentVolumeSpec, Volume } from '../schema/types.ts'

const drivers: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
}

const sources: Partial<Readonly<Record<keyof PersistentVolumeSpec, string>>> = {
  awsElasticBlockStore: 'kubernetes.io/aws-ebs',
  azureDisk: 'kubernetes.io/azure-disk',
  azureFile: 'kubernetes.io/azure-file',
  cinder: 'kubernetes.io/cinder',
  gcePersistentDisk: 'kubernetes.io/gce-pd',
  portworxVolume: 'kubernetes.io/portworx-volume',
  vsphereVolume: 'kubernetes.io/vsphere-volume',
}

/** The former built-in plugin of a volume. */
export function migratedSource({ spec = {} }: Readonly<PersistentVolume>): string | undefined {
  return Object.entries(sources).find(([source]) => spec[source as keyof PersistentVolumeSpec] !== undefined)?.[1]
}

/**
 * A disk of a former built-in plugin, named by a pod itself or by a volume, as its driver would know it: what tells one
 * disk from another, not the handle to the letter. undefined where it is none whose disks are counted.
 */
export function migratedDisk(source: Readonly<Volume> | Readonly<PersistentVolumeSpec>): { readonly plugin: string; readonly handle: string } | undefined {
  const { awsElasticBlockStore: aws, azureDisk: azure, cinder, gcePersistentDisk: gce, portworxVolume: portworx } = source
  if (aws !== undefined) return { plugin: 'kubernetes.io/aws-ebs', handle: aws.volumeID.split('/').at(-1) ?? '' }
  if (azure !== undefined) return { plugin: 'kubernetes.io/azure-disk', handle: azure.diskURI }
  if (cinder !== undefined) return { plugin: 'kubernetes.io/cinder', handle: cinder.volumeID }
  if (gce !== undefined) return { plugin: 'kubernetes.io/gce-pd', handle: `projects/UNSPECIFIED/zones/UNSPECIFIED/disks/${gce.pdName}` }
  return portworx === undefined ? undefined : { plugin: 'kubernetes.io/portworx-volume', handle: portworx.volumeID }
}

/** Former built-in plugins of which migratedDisk() knows the disks. */
export const diskPlugins: ReadonlySet<string> = new Set(['kubernetes.io/aws-ebs', 'kubernetes.io/azure-disk', 'kubernetes.io/cinder', 'kubernetes.io/gce-pd', 'kubernetes.io/portworx-volume'])

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
