// A block dot product: d = round(c + scale_a * scale_b * (a[0]*b[0] + ... + a[Q_B-1]*b[Q_B-1])).
//
// The products and their sum are exact fixed-point numbers; the scales and c join without loss; the
// only rounding is the last one, to FP32, to nearest, ties to even. That is Blockscale's accumulator
// `exact` for one block. NaN of any operand gives 0x7fc00000; c = Inf stays; an exact zero is +0.
//
//   ELEMENT       0 E2M1, 1 E4M3 (OCP), 2 INT8
//   INT_FRACTION  fraction bits of INT8: 6 for MXINT8 (-2 .. 1.984375), 0 for integers
//   SCALE         0 E8M0, 1 UE4M3
//   Q_B           elements in the block, 8 to 128, any integer
//   DROPPED       0: the sum of products is exact. n: each product loses its lowest n bits (rounded
//                 down) before the sum: a cheaper, inexact device with an accumulator n bits narrower
//   FAULT         0; others are wrong devices for testing the bench (README.md)
//
// Combinational. Element 0 lies in the least significant bits of a and b.
module bs_dot #(
    parameter ELEMENT       = 0,
    parameter SCALE         = 1,
    parameter Q_B           = 16,
    parameter INT_FRACTION  = 6,
    parameter DROPPED       = 0,
    parameter FAULT         = 0,
    parameter ELEMENT_WIDTH = (ELEMENT == 0) ? 4 : 8  // derived; leave alone
) (
    input  wire [Q_B*ELEMENT_WIDTH-1:0] a,
    input  wire [Q_B*ELEMENT_WIDTH-1:0] b,
    input  wire [7:0]                   scale_a,
    input  wire [7:0]                   scale_b,
    input  wire [31:0]                  c,
    output wire [31:0]                  d
);
  localparam PRODUCT_WIDTH     = (ELEMENT == 0) ? 9 : (ELEMENT == 1) ? 37 : 16;
  localparam TERM_WIDTH        = PRODUCT_WIDTH - DROPPED;
  localparam SUM_WIDTH         = TERM_WIDTH + $clog2(Q_B);
  localparam UNIT              = DROPPED + ((ELEMENT == 0) ? -2
                                          : (ELEMENT == 1) ? -18 : -2 * INT_FRACTION);
  localparam SIGNIFICAND_WIDTH = (SCALE == 0) ? 1 : 8;

  wire [Q_B*TERM_WIDTH-1:0] terms;
  wire [Q_B-1:0]            nans;
  genvar lane;
  generate
    for (lane = 0; lane < Q_B; lane = lane + 1) begin : lanes
      // Faults of order: neighbours swapped as two nibbles of a byte could be; first lane last.
      localparam PAIR    = (lane ^ 1) < Q_B ? (lane ^ 1) : lane;
      localparam PARTNER = (FAULT == 4) ? PAIR : (FAULT == 5) ? Q_B - 1 - lane : lane;
      wire [PRODUCT_WIDTH-1:0] product;
      bs_lane #(.ELEMENT(ELEMENT), .FAULT(FAULT)) multiplier (
          .a      (a[lane*ELEMENT_WIDTH+:ELEMENT_WIDTH]),
          .b      (b[PARTNER*ELEMENT_WIDTH+:ELEMENT_WIDTH]),
          .product(product),
          .nan    (nans[lane])
      );
      assign terms[lane*TERM_WIDTH+:TERM_WIDTH] =
          (FAULT == 19 && lane == Q_B - 1) ? {TERM_WIDTH{1'b0}} : product[PRODUCT_WIDTH-1:DROPPED];
    end
  endgenerate

  wire [SUM_WIDTH-1:0] sum;
  bs_sum #(.N(Q_B), .WIDTH(TERM_WIDTH)) adders (.terms(terms), .sum(sum));
  // A fault keeps one bit less, so that the largest sums change their sign.
  wire [SUM_WIDTH-1:0] sum_used =
      (FAULT == 15) ? {sum[SUM_WIDTH-2], sum[SUM_WIDTH-2:0]} : sum;

  wire [SIGNIFICAND_WIDTH-1:0] significand;
  wire signed [9:0]            exponent;
  wire                         negative;
  wire                         scale_nan;
  bs_scale #(.SCALE(SCALE), .FAULT(FAULT)) scales (
      .a(scale_a), .b(scale_b),
      .significand(significand), .exponent(exponent), .negative(negative), .nan(scale_nan)
  );

  bs_join #(
      .SUM_WIDTH(SUM_WIDTH), .SIGNIFICAND_WIDTH(SIGNIFICAND_WIDTH), .UNIT(UNIT), .FAULT(FAULT)
  ) join_ (
      .sum(sum_used),
      .scale_significand(significand), .scale_exponent(exponent), .scale_negative(negative),
      .nan(scale_nan || (|nans)),
      .c(c),
      .d(d)
  );
endmodule
