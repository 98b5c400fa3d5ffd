// Sum of N signed numbers of WIDTH bits, without loss: a balanced tree that instantiates itself for
// both halves, one bit wider at each level. The last level is WIDTH + ceil(log2 N) bits wide.
module bs_sum #(
    parameter N         = 16,
    parameter WIDTH     = 9,
    parameter OUT_WIDTH = WIDTH + $clog2(N)  // derived; leave alone
) (
    input  wire [N*WIDTH-1:0]  terms,  // term 0 in the least significant bits
    output wire [OUT_WIDTH-1:0] sum
);
  generate
    if (N == 1) begin : leaf
      assign sum = terms;
    end else begin : node
      localparam LOW        = N / 2;
      localparam HIGH       = N - LOW;
      localparam LOW_WIDTH  = WIDTH + $clog2(LOW);
      localparam HIGH_WIDTH = WIDTH + $clog2(HIGH);
      wire signed [LOW_WIDTH-1:0]  low;
      wire signed [HIGH_WIDTH-1:0] high;
      wire signed [OUT_WIDTH-1:0]  low_wide  = low;   // signed: these extend the sign
      wire signed [OUT_WIDTH-1:0]  high_wide = high;
      bs_sum #(.N(LOW), .WIDTH(WIDTH)) low_half (.terms(terms[LOW*WIDTH-1:0]), .sum(low));
      bs_sum #(.N(HIGH), .WIDTH(WIDTH)) high_half (.terms(terms[N*WIDTH-1:LOW*WIDTH]), .sum(high));
      assign sum = low_wide + high_wide;
    end
  endgenerate
endmodule
