import FormatCatalog
import HardwareCost
import NumberFormats
import Testing

@Suite("The gate model against Yosys")
struct CalibrationTests {
  @Test("the median error on units that the fit has not seen is below 15 %")
  func heldOut() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let calibration = Calibration(try GateModel.standard(), points: points)
    let held = calibration.units(heldOut: true)
    let median = try #require(Calibration.medianError(held))
    #expect(median < 0.15, "\(median) on \(held.count) units")
    #expect(try #require(Calibration.largestError(held)) < 0.3)
    #expect(try #require(Calibration.medianError(calibration.units(heldOut: false))) < 0.1)
    for element in ["e2m1", "e4m3", "mxint8"] {
      for scale in ["e8m0", "ue4m3"] {
        let alike = held.filter { isUnit($0.point, element, scale) }
        let error = try #require(Calibration.medianError(alike), "no \(element), \(scale)")
        #expect(error < 0.15, "\(element), \(scale): \(error)")
      }
    }
  }

  @Test("the model's areas are those that the fitted points give")
  func fit() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let model = try GateModel.standard()
    let fitted = try #require(model.fitted(to: points))
    for structure in Structure.allCases {
      let own = try #require(model.structures[structure]).value
      let anew = try #require(fitted.structures[structure]).value
      #expect(abs(own / anew - 1) < 0.005, "\(structure): \(own) in gates.json5, fitted \(anew)")
      #expect(anew > 0)
    }
  }

  @Test("a fit without an element is off by less than a quarter on its units")
  func elementLeftOut() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let model = try GateModel.standard()
    for case .lane(let element) in points.map(\.subject) {
      let units = model.comparisonsWithout(element, points: points)
      #expect(units.count >= 10, "\(element.name)")
      let median = try #require(Calibration.medianError(units))
      #expect(median < 0.25, "\(element.name): \(median)")
    }
  }

  @Test("the split is by block size and by width, and every block size is on one side")
  func split() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let sizes = Set(points.compactMap(\.unit).map(\.blockSize)).sorted()
    for point in points {
      guard case .unit(let element, _, let block, let dropped) = point.subject else {
        #expect(!Calibration.isHeldOut(point, among: points), "parts are fitted")
        continue
      }
      if dropped == 0 {
        let place = try #require(sizes.firstIndex(of: block))
        #expect(Calibration.isHeldOut(point, among: points) == (place % 2 == 1), "\(block)")
      } else {
        let step = element.name == "e4m3" ? 4 : 2
        #expect(Calibration.isHeldOut(point, among: points) == (dropped / step % 2 == 0))
      }
    }
  }

  @Test("NAND2 equivalents are a quarter of Yosys's transistors")
  func transistors() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let model = try GateModel.standard()
    #expect(points.count >= 60)
    for point in points {
      #expect(model.area(point.gates) == Double(point.transistors) / 4, "\(point.subject)")
    }
  }

  @Test("a fit finds the areas that points were made with")
  func recovered() throws {
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    let model = try GateModel.standard()
    let areas: [Structure: Int] = [
      .multiplier: 7, .shifter: 0, .adder: 11, .joinWord: 40, .join: 900,
    ]
    let made = points.map { point in
      let nands = areas.reduce(0) { $0 + $1.value * point.count[$1.key] }
      return SynthesisPoint(subject: point.subject, gates: [.nand: nands], transistors: 4 * nands)
    }
    let fitted = try #require(model.fitted(to: made))
    for (structure, area) in areas {
      let found = try #require(fitted.structures[structure]).value
      #expect(abs(found - Double(area)) < 1e-6, "\(structure): \(found), expected \(area)")
    }
    #expect(model.fitted(to: Array(made.prefix(3))) == nil, "too few points")
    let alike = Array(repeating: made[0], count: 20)
    #expect(model.fitted(to: alike) == nil, "points that are all alike")
  }

  @Test("a damaged table of points is refused, with the row")
  func damaged() throws {
    let catalog = try FormatCatalog.standard()
    let header =
      "part,element,scale,terms,bits,dropped,not,nand,nor,and,or,xor,xnor,mux,cells,transistors"
    let whole = header + "\nunit,e2m1,e8m0,8,,0,1,2,3,4,5,6,7,8,36,100\n"
    #expect(try SynthesisPoint.points(csv: whole, file: "f", catalog).count == 1)
    let damages = [
      ("unit,e2m1", "unit,e2m9"), ("e8m0", "e9m0"), (",8,,0,", ",0,,0,"), (",100", ""),
      (",100", ",-1"), (",100", ",x"), ("unit", "unity"), ("part,", ""), (",8,,0,", ",8,,8,"),
    ]
    for (text, damage) in damages {
      let broken = whole.replacing(text, with: damage)
      #expect(throws: HardwareCostError.self, "\(text) as \(damage)") {
        try SynthesisPoint.points(csv: broken, file: "f", catalog)
      }
    }
  }

  private func isUnit(_ point: SynthesisPoint, _ element: String, _ scale: String) -> Bool {
    guard case .unit(let own, let ownScale, _, _) = point.subject else { return false }
    return own.name == element && ownScale.name == scale
  }
}
