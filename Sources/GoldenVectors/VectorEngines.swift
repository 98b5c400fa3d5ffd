import FastPath
import NumberFormats
import Reference

/// The engines that golden vectors rest on: one defines the results, the others must give the same.
public struct VectorEngines: Sendable {
  public var reference: any VectorsEngine
  /// In the order of comparison.
  public var compared: [any VectorsEngine]

  public init(reference: any VectorsEngine, compared: [any VectorsEngine]) {
    self.reference = reference
    self.compared = compared
  }

  /// The MPFR reference against every instruction set of this machine.
  public static func standard() throws(VectorsError) -> VectorEngines {
    var compared: [any VectorsEngine] = []
    do throws(UnavailableTarget) {
      for target in VectorTarget.available { compared.append(try VectorEngine(target: target)) }
    } catch { throw .usage("\(error)") }
    return VectorEngines(reference: MPFREngine(), compared: compared)
  }

  /// For what needs no proof.
  var quickest: any VectorsEngine { compared.last ?? reference }
}
