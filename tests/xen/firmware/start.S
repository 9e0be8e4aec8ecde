/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the domain begins: in protected mode, without paging, with flat segments that are in no
 * table yet, and in ebx the address of what libxl has to say (struct hvm_start_info).
 */
        .text
        .globl  start
start:
        movl    $stack_top, %esp
        lgdt    gdt_pointer
        ljmp    $0x08, $1f
1:      movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        pushl   %ebx
        call    firmware

/* Interrupts arrive here. */
        .globl  device_entry, spurious_entry
device_entry:
        pushal
        cld
        call    machine_on_device
        popal
        iretl
spurious_entry:                         /* what the 8259s make of one that goes away */
        iretl

        .section .rodata
        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 0x08: code, 4 GiB */
        .quad   0x00cf93000000ffff      /* 0x10: data, 4 GiB */
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .bss
        .balign 16
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
