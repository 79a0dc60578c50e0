"""Small circuits of our own, and rewrites of them that behave the same."""

from __future__ import annotations

from pathlib import Path

_RTLLM = Path(__file__).parents[1] / "fixtures" / "rtllm"


def _reference(place: str) -> str:
    """A module of the fixture of that benchmark, under the name that is asked for."""
    name = place.rpartition("/")[2]
    return (_RTLLM / place / f"verified_{name}.v").read_text(encoding="utf-8").replace("verified_", "")


COUNTER = _reference("control/counter")
UP_DOWN = _reference("control/up_down")
ALU = _reference("arithmetic/alu")
DETECTOR = _reference("control/detector")
MUX = _reference("misc/mux4")
SHIFT = _reference("memory/shift8")
FIFO = _reference("memory/fifo4")
PRIORITY = _reference("misc/priority_encoder")
ADDER = _reference("arithmetic/adder4")
TIMER = _reference("control/timer")

LFSR = """
module lfsr (input clk, input rst_n, output reg [7:0] q);
  wire feedback = q[7] ^ q[5] ^ q[4] ^ q[3];
  always @(posedge clk or negedge rst_n)
    if (!rst_n) q <= 8'h01;
    else q <= {q[6:0], feedback};
endmodule
"""

EDGES = """
module edges (input clk, input rst, input x, output reg rise, output reg fall);
  reg last;
  always @(negedge clk)
    if (rst) begin
      last <= 1'b0;
      rise <= 1'b0;
      fall <= 1'b0;
    end else begin
      last <= x;
      rise <= x & ~last;
      fall <= ~x & last;
    end
endmodule
"""

SATURATED = """
module saturated (input signed [5:0] a, input signed [5:0] b, output reg signed [5:0] y);
  wire signed [6:0] sum = a + b;
  always @(*)
    if (sum > 31) y = 6'sd31;
    else if (sum < -32) y = -6'sd32;
    else y = sum[5:0];
endmodule
"""

MIXED = """
module mixed (input clk, input arst_n, input srst, input [3:0] d, output reg [3:0] a, output reg [3:0] b);
  always @(posedge clk or negedge arst_n)
    if (!arst_n) a <= 4'd5;
    else a <= a + d;
  always @(posedge clk or negedge arst_n)
    if (!arst_n) b <= 4'd0;
    else if (srst) b <= 4'd9;
    else b <= b ^ d;
endmodule
"""

MODULES = {
    "counter": COUNTER,
    "up_down": UP_DOWN,
    "alu": ALU,
    "detector": DETECTOR,
    "mux4": MUX,
    "shift8": SHIFT,
    "fifo4": FIFO,
    "priority_encoder": PRIORITY,
    "adder4": ADDER,
    "lfsr": LFSR,
    "edges": EDGES,
    "saturated": SATURATED,
    "timer": TIMER,
    "mixed": MIXED,
}

REWRITES: dict[str, tuple[str, ...]] = {
    "counter": (
        # Two blocks, a next value, other port order, System Verilog.
        """module counter (output wrap, output [7:0] q, input en, input rst_n, input clk);
          reg [7:0] r; wire [7:0] n = en ? r + 8'd1 : r;
          always @(posedge clk, negedge rst_n) begin if (rst_n == 1'b0) r <= 8'h0; else r <= n; end
          assign q = r; assign wrap = r == 8'hff; endmodule""",
        """`timescale 1ns / 1ps
          `define WIDE 8
          module counter (input logic clk, rst_n, en, output logic [`WIDE-1:0] q, output logic wrap);
          always_ff @(posedge clk or negedge rst_n) if (~rst_n) q <= '0; else q <= #1 q + en;
          always_comb wrap = (q >= 255); endmodule""",
    ),
    "up_down": (
        """module up_down (input clk, input reset, input up, input load, input [3:0] d, output [3:0] q);
          reg [3:0] c; assign q = c;
          always @(posedge clk) begin
            c <= up ? (c == 9 ? 0 : c + 1) : (c == 0 ? 9 : c - 1);
            if (load) c <= d;
            if (reset) c <= 0;
          end endmodule""",
        """module up_down (clk, reset, up, load, d, q);
          input clk, reset, up, load; input [3:0] d; output reg [3:0] q; reg [3:0] n;
          always @* begin
            n = q;
            if (reset) n = 4'b0000; else if (load) n = d;
            else case (up) 1'b1: n = (q != 9) ? q + 1 : 0; default: n = (q != 0) ? q - 1 : 9; endcase
          end
          always @(posedge clk) q <= n; endmodule""",
    ),
    "alu": (
        """module alu (input [7:0] a, b, input [2:0] op, output [7:0] y, output zero, output carry);
          wire [8:0] s = {1'b0, a} + {1'b0, b}, m = {1'b0, a} - {1'b0, b};
          wire [8:0] w = op == 0 ? s : op == 1 ? m : op == 2 ? a & b : op == 3 ? a | b : op == 4 ? a ^ b
            : op == 5 ? {1'b0, ~a} : op == 6 ? a < b : a == b;
          assign y = w[7:0]; assign carry = w[8]; assign zero = ~|y; endmodule""",
        """module alu (input [7:0] a, input [7:0] b, input [2:0] op, output reg [7:0] y, output zero, output reg carry);
          always @(a, b, op) begin
            carry = 0;
            if (op == 3'b000) {carry, y} = a + b;
            else if (op == 3'b001) {carry, y} = a - b;
            else if (op == 3'b010) y = ~(~a | ~b);
            else if (op == 3'b011) y = ~(~a & ~b);
            else if (op == 3'b100) y = (a & ~b) | (~a & b);
            else if (op == 3'b101) y = 8'hff ^ a;
            else y = op[0] ? !(a ^ b) : b > a;
          end
          assign zero = !y; endmodule""",
    ),
    "detector": (
        """module detector (input clk, input rst, input x, output z);
          reg [3:0] s; // one hot
          always @(posedge clk, posedge rst) if (rst) s <= 4'b0001; else begin
            s[0] <= ~x & (s[0] | s[2]); s[1] <= x & (s[0] | s[1] | s[3]); s[2] <= ~x & (s[1] | s[3]); s[3] <= x & s[2];
          end
          assign z = s[3]; endmodule""",
    ),
    "mux4": (
        """module mux4 #(parameter WIDTH = 4) (input [WIDTH-1:0] a, b, c, d, input [1:0] sel,
          output reg [WIDTH-1:0] y);
          always @(*) case (sel) 2'b00: y = a; 2'b01: y = b; 2'b10: y = c; 2'b11: y = d; endcase endmodule""",
        """module mux4 (input [3:0] a, b, c, d, input [1:0] sel, output [3:0] y);
          assign y = ({4{sel == 0}} & a) | ({4{sel == 1}} & b) | ({4{sel == 2}} & c) | ({4{sel == 3}} & d);
          endmodule""",
        """module pick (input [3:0] a, b, input s, output [3:0] y); assign y = s ? b : a; endmodule
          module mux4 (input [3:0] a, b, c, d, input [1:0] sel, output [3:0] y);
          wire [3:0] lo, hi; pick p0 (a, b, sel[0], lo); pick p1 (c, d, sel[0], hi); pick p2 (lo, hi, sel[1], y);
          endmodule""",
    ),
    "shift8": (
        """module shift8 (input clk, clr, load, dir, si, input [7:0] d, output reg [7:0] q);
          always @(posedge clk) casez ({clr, load, dir}) 3'b1??: q <= 0; 3'b01?: q <= d;
            3'b001: q <= (q << 1) | si; default: q <= (q >> 1) | (si << 7); endcase endmodule""",
    ),
    "fifo4": (
        """module fifo4 (input clk, rst, push, pop, input [3:0] din, output [3:0] dout, output empty, full);
          reg [15:0] data; reg [2:0] n; reg [15:0] next; reg [2:0] m;
          assign empty = n == 0; assign full = n == 4; assign dout = empty ? 0 : data[3:0];
          always @* begin
            next = data; m = n;
            if (pop && n != 0) begin next = next >> 4; m = m - 1; end
            if (push && n != 4) begin next = next & ~(16'hf << (4 * m)) | ({12'd0, din} << (4 * m)); m = m + 1; end
          end
          always @(posedge clk) if (rst) n <= 0; else begin n <= m; data <= next; end endmodule""",
    ),
    "priority_encoder": (
        """module priority_encoder (input [7:0] r, output reg [2:0] y, output valid);
          assign valid = r != 0;
          always @* casez (r) 8'b1???????: y = 7; 8'b01??????: y = 6; 8'b001?????: y = 5; 8'b0001????: y = 4;
            8'b00001???: y = 3; 8'b000001??: y = 2; 8'b0000001?: y = 1; default: y = 0; endcase endmodule""",
        """module priority_encoder (input [7:0] r, output [2:0] y, output valid);
          wire hi = |r[7:4]; wire [3:0] h = hi ? r[7:4] : r[3:0]; wire up = |h[3:2];
          assign y = {hi, up, up ? h[3] : h[1]}; assign valid = hi | (|r[3:0]); endmodule""",
    ),
    "adder4": (
        """module adder4 (input [3:0] a, b, input cin, output [3:0] sum, output cout);
          assign {cout, sum} = a + b + cin; endmodule""",
        """module adder4 (input [3:0] a, b, input cin, output [3:0] sum, output cout);
          wire [4:0] c; assign c[0] = cin; genvar i;
          generate for (i = 0; i < 4; i = i + 1) begin : bits
            assign sum[i] = a[i] ^ b[i] ^ c[i]; assign c[i + 1] = (a[i] & b[i]) | (a[i] & c[i]) | (b[i] & c[i]);
          end endgenerate
          assign cout = c[4]; endmodule""",
    ),
    "lfsr": (
        """module lfsr (input clk, rst_n, output [7:0] q); reg [7:0] s; assign q = s;
          always @(posedge clk or negedge rst_n) if (!rst_n) s <= 1; else s <= s << 1 | ^(s & 8'hb8); endmodule""",
    ),
    "edges": (
        """module edges (input clk, rst, x, output rise, fall); reg a, b;
          always @(negedge clk) begin a <= x & ~rst; b <= a & ~rst; end
          reg seen; always @(negedge clk) seen <= ~rst;
          assign rise = seen & a & ~b; assign fall = seen & ~a & b; endmodule""",
    ),
    "saturated": (
        """module saturated (input signed [5:0] a, b, output signed [5:0] y); wire [6:0] s = {a[5], a} + {b[5], b};
          assign y = s[6] == s[5] ? s[5:0] : s[6] ? 6'b100000 : 6'b011111; endmodule""",
    ),
    "timer": (
        """module timer (input clk, rst, start, input [3:0] n, output busy, output reg done); reg [3:0] left;
          assign busy = |left;
          always @(posedge clk) begin
            if (busy) left <= left + 4'hf; else if (start) left <= n;
            done <= left == 1;
            if (rst) {left, done} <= 0;
          end endmodule""",
    ),
    "mixed": (
        """module mixed (input clk, arst_n, srst, input [3:0] d, output reg [3:0] a, b); wire [3:0] sum = d + a;
          always @(posedge clk or negedge arst_n) begin
            if (!arst_n) begin a <= 5; b <= 0; end
            else begin a <= sum; b <= srst ? 4'b1001 : d ^ b; end
          end endmodule""",
    ),
}
"""At least twenty; a test counts."""
