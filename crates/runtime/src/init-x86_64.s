    # The init process of a container, see backends/embedded/child/oci/init.rs. Nothing here depends on where it lies.
    #   r12 number of arguments   r13 arguments   r14 environment   r15 the program's process
    #   [rsp] set of signals      [rsp+8] how a child ended
    .pushsection .rodata.neargate_init, "a", @progbits
    .balign 16
    .globl neargate_init_begin
    .hidden neargate_init_begin
neargate_init_begin:
    mov r12, [rsp]
    lea r13, [rsp + 8]
    lea r14, [r13 + r12*8 + 8]
    sub rsp, 64
    cmp r12, 3                      # its own name, a path, a name
    jb 90f

    mov edi, 3                      # close_range(3, all, 0)
    mov esi, -1
    xor edx, edx
    mov eax, 436
    syscall

    mov qword ptr [rsp], -1         # rt_sigprocmask(SIG_SETMASK, all, nothing, 8)
    mov edi, 2
    mov rsi, rsp
    xor edx, edx
    mov r10d, 8
    mov eax, 14
    syscall

    mov edi, 17                     # clone(SIGCHLD)
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
    mov eax, 56
    syscall
    test rax, rax
    js 90f
    jz 80f
    mov r15, rax

    mov edi, 15                     # prctl(PR_SET_NAME, "init")
    lea rsi, [rip + 99f]
    mov eax, 157
    syscall

    mov rdi, [r13]                  # the arguments lie in a row: overwritten by the name alone
    mov rcx, [r13 + r12*8 - 8]
20: cmp byte ptr [rcx], 0
    je 21f
    inc rcx
    jmp 20b
21: sub rcx, rdi
    mov r8, rdi
    xor eax, eax
    cld
    rep stosb
    mov dword ptr [r8], 0x74696e69

    xor edi, edi                    # close_range(0, all, 0)
    mov esi, -1
    xor edx, edx
    mov eax, 436
    syscall

30: mov rdi, -1                     # wait4(any, how, WNOHANG, nothing)
    lea rsi, [rsp + 8]
    mov edx, 1
    xor r10d, r10d
    mov eax, 61
    syscall
    test rax, rax
    jle 40f
    cmp rax, r15
    jne 30b
    mov edi, dword ptr [rsp + 8]
    and edi, 127
    jz 31f
    add edi, 128                    # by a signal
    jmp 91f
31: mov edi, dword ptr [rsp + 8]
    shr edi, 8
    and edi, 255
    jmp 91f

40: mov rdi, rsp                    # rt_sigtimedwait(all, nothing, for ever, 8)
    xor esi, esi
    xor edx, edx
    mov r10d, 8
    mov eax, 128
    syscall
    cmp eax, 17
    je 30b
    test eax, eax
    jle 30b
    mov esi, eax                    # kill(the program, the signal)
    mov rdi, r15
    mov eax, 62
    syscall
    jmp 30b

80: mov eax, 112                    # setsid()
    syscall
    mov qword ptr [rsp], 0          # rt_sigprocmask(SIG_SETMASK, none, nothing, 8)
    mov edi, 2
    mov rsi, rsp
    xor edx, edx
    mov r10d, 8
    mov eax, 14
    syscall
    mov rdi, [r13 + 8]              # execve(the path, the arguments from its name on, the environment)
    lea rsi, [r13 + 16]
    mov rdx, r14
    mov eax, 59
    syscall
90: mov edi, 126
91: mov eax, 231                    # exit_group
    syscall
99: .asciz "init"
    .globl neargate_init_end
    .hidden neargate_init_end
neargate_init_end:
    .popsection
