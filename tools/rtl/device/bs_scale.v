// The product of two block scales: significand x 2^exponent, exact.
//
//   SCALE 0  E8M0    2^(code - 127); code 255 is NaN. Code 0 is 2^-127, not zero. Significand 1.
//   SCALE 1  UE4M3   4 exponent bits (bias 7), 3 mantissa bits; bit 7 is ignored; 127 is NaN.
//                    Exponent field 0: subnormal, in steps of 2^-9. Zero is a value.
//
// FAULT chooses a wrong device (see README.md); 0 is the right one.
module bs_scale #(
    parameter SCALE             = 1,
    parameter FAULT             = 0,
    parameter SIGNIFICAND_WIDTH = (SCALE == 0) ? 1 : 8  // derived
) (
    input  wire        [7:0]                   a,
    input  wire        [7:0]                   b,
    output wire        [SIGNIFICAND_WIDTH-1:0] significand,
    output wire signed [9:0]                   exponent,     // of the significand's lowest bit
    output wire                                negative,     // never, but for a fault
    output wire                                nan
);
  generate
    if (SCALE == 0) begin : powers
      wire [8:0] codes  = (FAULT == 25) ? {1'b0, a} + 9'd127 : {1'b0, a} + {1'b0, b};
      wire [8:0] kept   = (FAULT == 28) ? {1'b0, codes[7:0]} : codes;
      assign exponent    = $signed({1'b0, kept}) - 10'sd254;
      assign significand = (FAULT == 13) ? (a != 0 && b != 0) : 1'b1;
      assign nan         = (FAULT == 7) ? 1'b0 : (&a || &b);
      assign negative    = 1'b0;
    end else begin : floats
      wire a_normal = a[6:3] != 0;
      wire b_normal = b[6:3] != 0;
      wire [3:0] a_significand = {a_normal || FAULT == 21, a[2:0]};
      wire [3:0] b_significand = (FAULT == 25) ? 4'b1000 : {b_normal || FAULT == 21, b[2:0]};
      wire [3:0] a_exponent    = a_normal ? a[6:3] : 4'd1;
      wire [3:0] b_exponent    = (FAULT == 25) ? 4'd7 : b_normal ? b[6:3] : 4'd1;
      // Bias 7 and 3 mantissa bits, twice.
      assign exponent    = $signed({6'b0, a_exponent}) + $signed({6'b0, b_exponent}) - 10'sd20;
      assign significand = a_significand * b_significand;
      assign nan         = (FAULT == 20) ? 1'b0 : (&a[6:0] || &b[6:0]);
      assign negative    = (FAULT == 12) && (a[7] ^ b[7]);
    end
  endgenerate
endmodule
