/* SPDX-License-Identifier: Apache-2.0 */
/* libek-answer.so.1, a library that plugins bring along. It is built in two versions that have one SONAME. */
const char *ek_trap_answer(void);

const char *ek_trap_answer(void)
{
	return EK_TRAP_ANSWER;
}
