extension TensorFile {
  /// Opens the shards of `model.safetensors.index.json`: an object whose `weight_map` gives each
  /// tensor's file, beside the index (the convention of the Hugging Face libraries).
  convenience init(index bytes: MappedBytes, path: String) throws(TensorIOError) {
    guard bytes.bytes.count <= SafetensorsHeader.maximumLength else {
      throw .badData(
        path, "\(bytes.bytes.count) bytes of index",
        expected: "at most \(SafetensorsHeader.maximumLength)")
    }
    let json: HeaderJSON
    do {
      json = try HeaderJSON.parse(UnsafeRawBufferPointer(bytes.bytes))
    } catch {
      throw .badData(path, position: error.position, error.problem, expected: "a JSON object")
    }
    guard case .object(let map)? = json["weight_map"] else {
      throw .badData(path, "no weight_map", expected: "a checkpoint's index")
    }
    var wanted: [String: Set<String>] = [:]
    for member in map {
      guard let shard = member.value.string, shard.hasSuffix(".safetensors"), !shard.contains("/")
      else {
        throw .badData(
          path, tensor: member.key, "its shard is not a file name",
          expected: "a .safetensors file beside it")
      }
      wanted[shard, default: []].insert(member.key)
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var tensors: [TensorInfo] = []
    var sources: [TensorSource] = []
    var metadata: [String: String] = [:]
    for (shard, names) in wanted.sorted(by: { $0.key < $1.key }) {
      let file = try TensorFile.open(folder + shard)
      guard file.container == .safetensors, let source = file.sources.first else {
        throw .badData(folder + shard, "not a .safetensors file", expected: "a shard of \(path)")
      }
      let held = Set(file.tensors.map(\.name))
      if let missing = names.subtracting(held).min() {
        throw .badData(
          folder + shard, tensor: missing, "not in this shard", expected: "as \(path) says")
      }
      for tensor in file.tensors where names.contains(tensor.name) {
        tensors.append(tensor.placed(inSource: sources.count))
      }
      sources.append(source)
      metadata.merge(file.metadata) { $1 }
    }
    self.init(
      path: path, container: .safetensors, tensors: tensors, sources: sources, metadata: metadata)
  }
}
