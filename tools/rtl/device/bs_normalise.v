// Shifts a number left until its most significant bit is 1, and tells by how much. Each stage shifts
// by a power of two if as many leading bits are 0. For 0 the output is 0 and the count has no meaning.
module bs_normalise #(
    parameter WIDTH       = 24,
    parameter COUNT_WIDTH = $clog2(WIDTH)  // derived; leave alone
) (
    input  wire [WIDTH-1:0]       number,
    output reg  [WIDTH-1:0]       normalised,
    output reg  [COUNT_WIDTH-1:0] count
);
  integer stage;
  always @* begin
    normalised = number;
    for (stage = COUNT_WIDTH - 1; stage >= 0; stage = stage - 1) begin
      count[stage] = (normalised >> (WIDTH - (1 << stage))) == 0;
      if (count[stage]) normalised = normalised << (1 << stage);
    end
  end
endmodule
