// d = round(c + sum x scale): one rounding to FP32 of the exact value.
//
//   sum    signed integer, in units of 2^UNIT
//   scale  significand x 2^exponent
//
// Both addends are normalised to P bits and aligned to the larger one with three bits to spare. What
// is shifted out of the smaller one survives in the lowest bit ("sticky"), so that the rounding sees
// on which side of a tie the exact sum lies. That is enough: only addends whose exponents differ by at
// most 1 can cancel more than one leading bit, and those lose nothing.
//
// An exact sum of zero is +0. FAULT chooses a wrong device (see README.md); 0 is the right one.
module bs_join #(
    parameter SUM_WIDTH         = 13,
    parameter SIGNIFICAND_WIDTH = 8,
    parameter UNIT              = -2,
    parameter FAULT             = 0
) (
    input  wire signed [SUM_WIDTH-1:0]         sum,
    input  wire        [SIGNIFICAND_WIDTH-1:0] scale_significand,
    input  wire signed [9:0]                   scale_exponent,
    input  wire                                scale_negative,
    input  wire                                nan,              // an element or a scale is NaN
    input  wire        [31:0]                  c,
    output wire        [31:0]                  d
);
  localparam TERM = SUM_WIDTH + ((SIGNIFICAND_WIDTH == 1) ? 0 : SIGNIFICAND_WIDTH);
  localparam P    = (TERM > 24) ? TERM : 24;
  localparam WORK = P + 3;
  localparam signed [11:0] ZERO_TOP = -12'sd1024;  // below every exponent that occurs

  // The block's term: magnitude, sign, exponent of the highest bit.
  wire                     term_negative = sum[SUM_WIDTH-1] ^ scale_negative;
  wire [SUM_WIDTH-1:0]     magnitude     = sum[SUM_WIDTH-1] ? -sum : sum;
  wire [P-1:0]             term          = magnitude * scale_significand;
  wire [P-1:0]             term_bits;
  wire [$clog2(P)-1:0]     term_zeros;
  bs_normalise #(.WIDTH(P)) term_normaliser (term, term_bits, term_zeros);
  wire signed [11:0] unit        = UNIT;
  wire signed [11:0] highest     = P - 1;
  wire signed [11:0] term_leading = $signed({1'b0, term_zeros});
  wire               term_zero   = !term_bits[P-1];
  wire signed [11:0] term_top    = term_zero ? ZERO_TOP
                                 : scale_exponent + unit + highest - term_leading;

  // The addend c. A subnormal has no hidden bit, and the exponent of field 1.
  wire        c_normal = c[30:23] != 0;
  wire        c_huge   = &c[30:23];
  wire        c_nan    = c_huge && c[22:0] != 0 && FAULT != 23;
  wire        c_inf    = c_huge && c[22:0] == 0 && FAULT != 23;
  wire [23:0] c_significand = {c_normal, c[22:0]};
  wire [23:0] c_bits24;
  wire [4:0]  c_zeros;
  bs_normalise #(.WIDTH(24)) c_normaliser (c_significand, c_bits24, c_zeros);
  wire [P+23:0] c_padded = {c_bits24, {P{1'b0}}};
  wire [P-1:0]  c_bits   = c_padded[P+23:24];
  wire          c_zero   = !c_bits24[23];
  wire signed [11:0] c_field   = (c_normal || FAULT == 18) ? $signed({4'b0, c[30:23]}) : 12'sd1;
  wire signed [11:0] c_leading = $signed({7'b0, c_zeros});
  wire signed [11:0] c_top     = c_zero ? ZERO_TOP : c_field - 12'sd127 - c_leading;

  // A fault rounds the term to 24 bits before it meets c.
  wire [P-1:0] term_used;
  generate
    if (FAULT == 26 && P > 24) begin : term_cut
      assign term_used = {term_bits[P-1:P-24], {(P - 24) {1'b0}}};
    end else begin : term_whole
      assign term_used = term_bits;
    end
  endgenerate

  // Align the smaller to the larger.
  wire               c_larger     = c_top > term_top;
  wire [P-1:0]       larger_bits  = c_larger ? c_bits : term_used;
  wire [P-1:0]       smaller_bits = c_larger ? term_used : c_bits;
  wire signed [11:0] top          = c_larger ? c_top : term_top;
  wire        [11:0] distance     = c_larger ? c_top - term_top : term_top - c_top;
  wire        [11:0] shift        = (FAULT == 10 && distance != 0) ? distance - 12'd1
                                  : (FAULT == 11) ? {6'b0, distance[5:0]}
                                  : distance;
  wire [WORK-1:0] small_wide = {smaller_bits, 3'b000};
  wire [WORK-1:0] moved      = small_wide >> shift;
  wire            lost       = |(small_wide & ~({WORK{1'b1}} << shift));
  wire            sticky     = (FAULT == 1) ? 1'b0 : lost;
  wire [WORK-1:0] addend     = {moved[WORK-1:1], moved[0] | sticky};
  wire [WORK-1:0] anchor     = {larger_bits, 3'b000};

  // Add or subtract magnitudes. With equal exponents the "smaller" may win, and turns the sign.
  wire            large_negative = c_larger ? c[31] : term_negative;
  wire            subtract       = c[31] ^ term_negative;
  wire [WORK:0]   difference     = {1'b0, anchor} - {1'b0, addend};
  wire            turned         = subtract && difference[WORK];
  wire [WORK:0]   total          = !subtract ? {1'b0, anchor} + {1'b0, addend}
                                 : turned ? -difference : difference;
  wire            negative       = large_negative ^ turned;

  wire [WORK:0]              total_bits;
  wire [$clog2(WORK+1)-1:0]  total_zeros;
  bs_normalise #(.WIDTH(WORK + 1)) total_normaliser (total, total_bits, total_zeros);
  wire signed [11:0] total_leading = $signed({1'b0, total_zeros});
  wire               zero          = !total_bits[WORK];

  wire [31:0] rounded;
  bs_round #(.WIDTH(WORK + 1), .FAULT(FAULT)) rounder (
      .negative   (negative),
      .significand(total_bits),
      .top        (top + 12'sd1 - total_leading),
      .result     (rounded)
  );

  assign d = (nan || c_nan) ? 32'h7fc00000
           : c_inf ? c
           : zero ? {(FAULT == 16) && (c[31] || term_negative), 31'b0}
           : rounded;
endmodule
