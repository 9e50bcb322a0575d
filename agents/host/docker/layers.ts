/** Where Docker's overlay2 keeps an image: folders that an overlay mount takes as they are, with whiteouts. Pure; other drivers have none. */
export function layersOf(driver: { readonly Name: string; readonly Data?: Readonly<Record<string, string>> | null } | undefined): readonly string[] | undefined {
  if (driver?.Name !== 'overlay2') return undefined
  const { UpperDir, LowerDir } = driver.Data ?? {}
  if (UpperDir === undefined || UpperDir === '') return undefined
  return [UpperDir, ...(LowerDir ?? '').split(':').filter((dir) => dir !== '')]
}
