/// The version in static storage: the same bytes for as long as the library is loaded.
private let version: StaticString = "0.1.0"

/// `bs_version` of blockscale.h; a test holds it to the command's.
@_cdecl("bs_version")
public func libraryVersion() -> UnsafePointer<CChar> {
  UnsafeRawPointer(version.utf8Start).assumingMemoryBound(to: CChar.self)
}
