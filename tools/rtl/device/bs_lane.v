// One lane: decodes two elements and multiplies them exactly.
//
// The product is an integer in units of the square of the format's smallest step:
//
//   ELEMENT 0  E2M1   sign, 2 exponent bits (bias 1), 1 mantissa bit    unit 2^-2,   9 bits
//   ELEMENT 1  E4M3   sign, 4 exponent bits (bias 7), 3 mantissa bits   unit 2^-18, 37 bits
//   ELEMENT 2  INT8   two's complement                                  unit 2^-2f, 16 bits
//
// E2M1 has neither Inf nor NaN; E4M3 has no Inf and one NaN of each sign, S.1111.111 (OCP). INT8 -128
// counts as it stands. FAULT chooses a wrong device (see README.md); 0 is the right one.
module bs_lane #(
    parameter ELEMENT       = 0,
    parameter FAULT         = 0,
    parameter ELEMENT_WIDTH = (ELEMENT == 0) ? 4 : 8,                            // derived
    parameter PRODUCT_WIDTH = (ELEMENT == 0) ? 9 : (ELEMENT == 1) ? 37 : 16      // derived
) (
    input  wire [ELEMENT_WIDTH-1:0] a,
    input  wire [ELEMENT_WIDTH-1:0] b,
    output wire [PRODUCT_WIDTH-1:0] product,  // signed
    output wire                     nan
);
  generate
    if (ELEMENT == 2) begin : integers
      // A fault reads -128 as -127, as a symmetric range would have it.
      wire signed [7:0] a_value = (FAULT == 17 && a == 8'h80) ? 8'h81 : a;
      wire signed [7:0] b_value = (FAULT == 17 && b == 8'h80) ? 8'h81 : b;
      wire signed [15:0] exact = a_value * b_value;
      assign product = exact;
      assign nan     = 1'b0;
    end else begin : floats
      localparam EXPONENT  = (ELEMENT == 0) ? 2 : 4;
      localparam MANTISSA  = (ELEMENT == 0) ? 1 : 3;
      localparam MAGNITUDE = PRODUCT_WIDTH - 1;

      wire [EXPONENT-1:0] a_exponent = a[MANTISSA+:EXPONENT];
      wire [EXPONENT-1:0] b_exponent = b[MANTISSA+:EXPONENT];
      // Exponent field 0 marks a subnormal: no hidden bit, and the exponent of field 1.
      wire a_normal = a_exponent != 0;
      wire b_normal = b_exponent != 0;
      wire [MANTISSA:0] a_significand = (FAULT == 8 && !a_normal) ? {(MANTISSA + 1){1'b0}}
                                                                  : {a_normal, a[MANTISSA-1:0]};
      wire [MANTISSA:0] b_significand = (FAULT == 8 && !b_normal) ? {(MANTISSA + 1){1'b0}}
                                                                  : {b_normal, b[MANTISSA-1:0]};
      wire [EXPONENT:0] a_shift = a_normal ? a_exponent - 1'b1 : {EXPONENT{1'b0}};
      wire [EXPONENT:0] b_shift = b_normal ? b_exponent - 1'b1 : {EXPONENT{1'b0}};
      wire [EXPONENT:0] shift   = a_shift + b_shift;

      wire [2*MANTISSA+1:0]  significand = a_significand * b_significand;
      wire [MAGNITUDE-1:0]   wide        = significand;
      wire [MAGNITUDE-1:0]   magnitude   = wide << shift;
      wire                   negative    = a[ELEMENT_WIDTH-1] ^ b[ELEMENT_WIDTH-1];
      assign product = negative ? -{1'b0, magnitude} : {1'b0, magnitude};

      if (ELEMENT == 1) begin : nans
        assign nan = (FAULT == 22) ? 1'b0
                   : (FAULT == 6) ? (&a_exponent || &b_exponent)
                   : (&a[6:0] || &b[6:0]);
      end else begin : no_nans
        assign nan = 1'b0;
      end
    end
  endgenerate
endmodule
