import Measurement
import Reporting

/// Says on standard error which inputs hold numbers that float32 cannot, a line per tensor.
enum NarrowedMessages {
  /// - Parameter counts: Rounded numbers, with the file and name of their tensor.
  static func write(
    _ tensors: [InputTensor], counts: [(file: String, tensor: String, narrowed: Int)]
  ) {
    var left: [[String]: Int] = [:]
    for item in counts { left[[item.file, item.tensor]] = item.narrowed }
    for tensor in tensors {
      guard let count = left.removeValue(forKey: [tensor.path, tensor.name]), count > 0 else {
        continue
      }
      StandardStreams.writeMessage(
        "blockscale: \(tensor.path): tensor \"\(tensor.name)\": \(count) of \(tensor.info.count)"
          + " \(tensor.info.dtype.rawValue) elements rounded to float32\n")
    }
  }
}
