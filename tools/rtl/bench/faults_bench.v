// Runs the vectors through the right device and through every faulty one, side by side, and counts
// the mismatches of each. For both simulators. Bit n of the macro DOT_FAULTS asks for fault n; bit 0
// is the right device. `tools/rtl/test` compares the counts with README.md.
`timescale 1ns / 1ps
`include "dot_fields.vh"
`define FAULTS 28  // the largest number

module faults_bench;
  localparam [`FAULTS:0] WANTED = `DOT_FAULTS;

  reg [`DOT_INPUTS_WIDTH-1:0]   inputs   [0:`DOT_COUNT-1];
  reg [`DOT_EXPECTED_WIDTH-1:0] expected [0:`DOT_COUNT-1];
  reg [`DOT_INPUTS_WIDTH-1:0]   word;
  wire [32*(`FAULTS+1)-1:0]     results;
  integer mismatches [0:`FAULTS];
  integer first      [0:`FAULTS];
  integer index, number;

  genvar fault;
  generate
    for (fault = 0; fault <= `FAULTS; fault = fault + 1) begin : devices
      if (WANTED[fault]) begin : wanted
        bs_dot #(
            .ELEMENT(`DOT_ELEMENT), .SCALE(`DOT_SCALE), .Q_B(`DOT_Q_B), .DROPPED(`DOT_DROPPED),
            .INT_FRACTION(`DOT_INT_FRACTION),
            .FAULT(fault)
        ) device (
            .a      (`DOT_A(word)),
            .b      (`DOT_B(word)),
            .scale_a(`DOT_SCALE_A(word)),
            .scale_b(`DOT_SCALE_B(word)),
            .c      (`DOT_C(word)),
            .d      (results[32*fault+:32])
        );
      end else begin : unwanted
        assign results[32*fault+:32] = 32'b0;
      end
    end
  endgenerate

  initial begin
    $readmemh(`DOT_INPUTS_FILE, inputs);
    $readmemh(`DOT_EXPECTED_FILE, expected);
    for (number = 0; number <= `FAULTS; number = number + 1) begin
      mismatches[number] = 0;
      first[number] = -1;
    end
    for (index = 0; index < `DOT_COUNT; index = index + 1) begin
      word = inputs[index];
      #10;
      for (number = 0; number <= `FAULTS; number = number + 1)
        if (results[32*number+:32] !== `DOT_D(expected[index])) begin
          if (mismatches[number] == 0) first[number] = index;
          mismatches[number] = mismatches[number] + 1;
        end
    end
    for (number = 0; number <= `FAULTS; number = number + 1)
      if (WANTED[number])
        $display("fault %0d mismatches %0d first %0d", number, mismatches[number], first[number]);
    $finish;
  end
endmodule
